import type { CatalogueColumn } from './catalogue.ts';

/** A catalogue column for tests: what is not named is as for a nullable int. */
export function testColumn(name: string, type: string, properties: Partial<CatalogueColumn> = {}): CatalogueColumn {
  return {
    name,
    number: '1',
    type,
    maxLength: 4,
    precision: 0,
    scale: 0,
    collation: null,
    nullable: true,
    computed: false,
    columnSet: false,
    userClrType: false,
    encrypted: false,
    masked: false,
    changing: false,
    ...properties,
  };
}
