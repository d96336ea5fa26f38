import type { Identification, IdentificationRequest } from './identifier.ts';
export interface ExaminationRequest extends Omit<IdentificationRequest, 'name'> {
  readonly name?: string;
  readonly outputBytes: number;
}
export function examine(_request: ExaminationRequest): Promise<Identification> {
  throw new Error('not yet');
}
