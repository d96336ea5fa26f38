import { z } from 'zod';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

/** How a line becomes words; see docs/batch.md. */
export const TOKENIZERS = ['space', 'unicode'] as const;

/** Character sets that files may be said to be in, by their WHATWG labels; UTF-8, and UTF-16 and 32 with a byte order mark, need not be said. */
export const CHARSETS = [
  'windows-1250',
  'windows-1251',
  'windows-1252',
  'windows-1253',
  'windows-1254',
  'windows-1257',
  'iso-8859-2',
  'iso-8859-5',
  'iso-8859-7',
  'iso-8859-15',
  'koi8-r',
  'ibm866',
  'macintosh',
  'shift_jis',
  'euc-jp',
  'euc-kr',
  'gbk',
  'gb18030',
  'big5',
  'utf-16le',
  'utf-16be',
] as const;

const word = z.string().min(1).max(1_000);
const hdfsPath = z
  .string()
  .max(4_000)
  .regex(/^\/(?:[^/]+(?:\/[^/]+)*\/?)?$/, 'must be an absolute HDFS path');
const tableName = z.string().regex(/^\w{1,128}(?:\.\w{1,128})?$/, 'must be the name of a Hive table, database.table');

/** Input of `countWords`; `{}` counts the sample texts. */
export const wordsInput = z
  .strictObject({
    /** A file or a directory in HDFS, with all below it. Default: the sample texts. */
    path: hdfsPath.optional(),
    /** A Hive table or view instead, whose column `column` is counted. */
    table: tableName.optional(),
    /** Column of the table. */
    column: z.string().min(1).max(128).default('line'),
    /** Words whose counts are wanted; one that does not occur counts 0. */
    words: z.array(word).max(1_000).default([]),
    /** So many of the most frequent words. */
    top: z.int().min(0).max(10_000).default(10),
    /** Counts of each file as well. */
    perFile: z.boolean().default(false),
    caseSensitive: z.boolean().default(true),
    /** `space`: exactly Hive's `SPLIT(line, ' ')`, empty tokens included. `unicode`: runs of letters, marks and digits. */
    tokenizer: z.enum(TOKENIZERS).default('space'),
    /** Character set of files that are no UTF-8; without it they are not counted, and told. */
    charset: z.enum(CHARSETS).optional(),
    /** Count anew, though the same question about the same files has been answered. */
    recount: z.boolean().default(false),
  })
  .refine(({ path, table }) => path === undefined || table === undefined, {
    message: 'give either path or table',
    path: ['table'],
  });
export type WordsInput = z.output<typeof wordsInput>;

const count = z.int().nonnegative();
const wordCount = z.object({ word: z.string(), count });
export type WordCount = z.output<typeof wordCount>;

const skippedFile = z.object({ path: z.string(), bytes: count, reason: z.string() });

/** Which files an answer speaks of. */
export const coverage = z.object({
  /** All that were found. */
  files: count,
  bytes: count,
  /** Of these, counted as they lie there. */
  readDirectly: count,
  /** Counted through a copy in UTF-8 without compression, since Hive would misread them. */
  readConverted: count,
  /** Nothing in them to count. */
  empty: count,
  skippedFiles: count,
  skippedBytes: count,
  /** The first of those skipped, and why. */
  skipped: z.array(skippedFile),
});
export type Coverage = z.output<typeof coverage>;

const fileCounts = z.object({
  path: z.string(),
  total: count,
  distinct: count,
  /** In the order of `words` of the question. */
  words: z.array(count),
});
export type FileCounts = z.output<typeof fileCounts>;

/** Result of `countWords`. */
export const wordsResult = z.object({
  /** Names this question about these files. */
  question: z.string(),
  /** The path or table. */
  of: z.string(),
  tokenizer: z.enum(TOKENIZERS),
  caseSensitive: z.boolean(),
  /** Words in all, empty tokens included. */
  total: count,
  distinct: count,
  /** Tokens without a character, which `SPLIT(line, ' ')` makes of empty lines and repeated spaces. */
  emptyTokens: count,
  words: z.array(wordCount),
  top: z.array(wordCount),
  /** Of very many the first, by path. */
  perFile: z.array(fileCounts).optional(),
  perFileLeftOut: count,
  /** File in HDFS with the counts of all files, one JSON object a line, when some were left out here. */
  perFilePath: z.string().exactOptional(),
  coverage: coverage.optional(),
  /** What was run in Hive. */
  sql: z.array(z.string()),
  /** `kept`: the same question about the same files was answered before. */
  answeredFrom: z.enum(['hive', 'kept']),
  countedAt: z.iso.datetime(),
  durationMs: count,
});
export type WordsResult = z.output<typeof wordsResult>;

export const WORDS_PHASES = ['looking at the files', 'counting', 'answering', 'ended'] as const;

/** Answer to the query `progress` of `countWords`. */
export const wordsProgress = z.object({
  of: z.string(),
  phase: z.enum(WORDS_PHASES),
  files: count,
  bytes: count,
  skippedFiles: count,
});
export type WordsProgress = z.output<typeof wordsProgress>;

/** One count, the same in every activity. */
export interface WordsRun {
  /** Names its directory in HDFS and its tables in Hive; letters, digits and underscores. */
  readonly countId: string;
  readonly input: WordsInput;
}

/** What a look at the files found; the files themselves are listed in HDFS. */
export interface Surveyed {
  readonly of: string;
  /** Names the question about the very versions of the files; absent when they cannot be told (a table). */
  readonly question: string;
  readonly files: number;
  readonly bytes: number;
  readonly skippedFiles: number;
  /** Something is there to be read by Hive. */
  readonly countable: boolean;
  /** The answer, when it is kept. */
  readonly kept?: WordsResult;
}

export interface SurveyRequest {
  readonly run: WordsRun;
  /** Read each compressed file, and each that is distrusted, to its end before Hive does. */
  readonly thorough: boolean;
}

export interface Tallied {
  /** Files in whose words the replacement character stands, so that they may be no UTF-8; they are listed in HDFS. */
  readonly distrusted: number;
}

/** What `countWords` asks of its activities. Paths and figures, never words. */
export interface WordsActivities {
  surveyTexts(request: SurveyRequest): Promise<Surveyed>;
  tallyWords(run: WordsRun): Promise<Tallied>;
  answerWords(request: { readonly run: WordsRun; readonly startedMs: number }): Promise<WordsResult>;
  discardCount(run: WordsRun): Promise<void>;
}

export const wordsContract = {
  workflowType: 'countWords',
  summary: 'count words of texts in HDFS, or of a Hive table, by Hive SQL',
  input: wordsInput,
  example: { path: '/texts/samples', words: ['the', 'license'], top: 20 },
  progress: wordsProgress,
  result: wordsResult,
  activities: {
    surveyTexts: 'jobs',
    tallyWords: 'jobs',
    answerWords: 'jobs',
    discardCount: 'jobs',
  } satisfies Readonly<Record<keyof WordsActivities, QueueName>>,
} as const satisfies JobContract<typeof wordsInput, typeof wordsProgress, typeof wordsResult>;
