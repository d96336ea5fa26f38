import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

/** Folder by folder, what it may import from this project. Imports go one way; see docs/architecture.md. */
const layers = {
  grid: [],
  runtime: ['grid'],
  connectors: ['grid', 'runtime'],
  streaming: ['grid', 'runtime', 'connectors'],
  // Workflow code is replayed: it may reach nothing that has side effects.
  workflows: ['grid'],
  activities: ['grid', 'runtime', 'connectors', 'workflows'],
  workers: ['grid', 'runtime', 'connectors', 'streaming', 'workflows', 'activities', 'serving'],
  serving: ['grid', 'runtime', 'connectors', 'workflows'],
  cli: ['grid', 'runtime', 'connectors', 'workflows'],
};
const folders = [
  'grid',
  'runtime',
  'connectors',
  'streaming',
  'workflows',
  'activities',
  'workers',
  'serving',
  'cli',
  'infra',
  'bench',
  'test',
];

/** Of the workflows others may know what each job is and how it is told, not how it is done. */
const contractsOnly = {
  regex:
    '^(\\.\\./)+workflows/(?!registry\\.ts$|job/(job-contract|told|plain-lines|task-queues)\\.ts$|[^/]+/(contract|input|activity-contract|text)\\.ts$)',
  message: 'Of workflows/ only contracts, texts and the registry may be imported.',
};

const layerRules = Object.entries(layers).map(([folder, allowed]) => ({
  files: [`${folder}/**/*.ts`],
  ignores: ['**/*.test.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${folders.filter((other) => other !== folder && !allowed.includes(other)).join('|')})/`,
            message: `${folder}/ may import only from: ${[folder, ...allowed].join(', ')}.`,
          },
          ...(folder === 'workflows' ? [] : [contractsOnly]),
          ...(['connectors', 'infra', 'bench', 'test'].includes(folder)
            ? []
            : [
                {
                  regex:
                    '^(kafkajs|webhdfs|hive-driver|mongodb|ioredis|pg|mssql|pg-copy-streams|@temporalio/(client|worker))$',
                  message: 'Drivers are used only inside connectors/.',
                },
              ]),
        ],
      },
    ],
  },
}));

/** What an outside name looks up must not find what every object inherits (`constructor`, `__proto__`). */
const noInheritedNames = {
  selector:
    'Program > VariableDeclaration > VariableDeclarator[init.type="ObjectExpression"] > Identifier > TSTypeAnnotation TSTypeReference[typeName.name="Record"] > TSTypeParameterInstantiation > TSStringKeyword:first-child',
  message: 'A table that is looked up by any string must be a Map: an object inherits names like "constructor".',
};

export default tseslint.config(
  { ignores: ['node_modules/', '.stack/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // The dashboard's own files run in browsers; tsc knows what there is (tsconfig.dashboard.json), so only rules of style are left.
    files: ['serving/dashboard/**/*.js'],
    rules: { 'no-undef': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    ignores: ['serving/dashboard/**'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  ...layerRules,
  {
    files: ['**/*.ts'],
    plugins: { regexp },
    rules: { 'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }] },
  },
  {
    // Where text of others arrives, no search may start anew at each character either.
    files: [
      'connectors/{kafka,mongodb,postgres,redis}/**/*.ts',
      'grid/{*,history/*}.ts',
      'runtime/**/*.ts',
      'streaming/**/*.ts',
    ],
    // Tests, and texts of an operator: templates, paths of a file or in a reply.
    ignores: [
      '**/*.test.ts',
      'grid/figures.ts',
      'grid/route.ts',
      'streaming/sources/file/table.ts',
      'streaming/sources/pull/json-path.ts',
    ],
    rules: { 'regexp/no-super-linear-move': ['error', { ignoreSticky: false }] },
  },
  {
    files: ['**/*.ts'],
    ignores: ['**/*.test.ts', 'test/**', 'bench/**'],
    rules: { 'no-restricted-syntax': ['error', noInheritedNames] },
  },
  {
    files: ['infra/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [contractsOnly] }] },
  },
  prettier,
);
