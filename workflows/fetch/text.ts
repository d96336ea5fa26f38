import { bytesText } from '../../grid/figures.ts';
import type { JobText } from '../job/told.ts';
import type { FetchProgress, FetchResult } from './contract.ts';

/** How the fetching of a legacy file is told. */
export const fetchText = {
  progress: ({ file, to, done }) => ({
    title: `Legacy file ${file}`,
    headline: done ? `written to ${to}` : 'being fetched',
  }),
  result: ({ sha256, bytes, to, class: kind, paths }) => ({
    title: `Legacy file ${sha256}`,
    headline: `${bytesText(bytes)} (${kind}) written to ${to}, compared by SHA-256`,
    sentences: paths.map((path) => `It was found as ${path}.`),
  }),
} satisfies JobText<FetchProgress, FetchResult>;
