import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

// Arrows point down: protocol ← core ← platform and modules ← programs. See docs/architecture.md.
const contract = ['layer:contract'];
const layers = [
  { sourceTag: 'package:protocol', onlyDependOnLibsWithTags: ['package:protocol'] },
  { sourceTag: 'layer:contract', onlyDependOnLibsWithTags: contract },
  { sourceTag: 'layer:testing', onlyDependOnLibsWithTags: [...contract, 'layer:testing'] },
  { sourceTag: 'layer:platform', onlyDependOnLibsWithTags: contract },
  { sourceTag: 'layer:module', onlyDependOnLibsWithTags: [...contract, 'package:kubeapi', 'package:cri', 'package:tunnel', 'package:upgrade'] },
  { sourceTag: 'layer:sdk', onlyDependOnLibsWithTags: ['package:protocol'] },
  { sourceTag: 'layer:example', onlyDependOnLibsWithTags: ['layer:sdk'] },
  { sourceTag: 'package:minicloud', onlyDependOnLibsWithTags: [...contract, 'layer:platform'] },
  { sourceTag: 'layer:app', onlyDependOnLibsWithTags: [...contract, 'layer:platform', 'layer:module', 'layer:app'] },
];
// Tests may use the test kit and the real platform besides.
const inTests = layers.map(({ sourceTag, onlyDependOnLibsWithTags }) => ({
  sourceTag,
  onlyDependOnLibsWithTags: [...onlyDependOnLibsWithTags, 'layer:testing', 'layer:platform', ...(sourceTag === 'layer:app' ? ['layer:sdk'] : [])],
}));

const boundaries = (depConstraints) => [
  'error',
  { enforceBuildableLibDependency: false, banTransitiveDependencies: false, checkDynamicDependenciesExceptions: ['.*'], allow: ['^.*/tools/.*\\.base(\\.js)?$', '^.*/tools/worker-code\\.mjs$', '^.*/test/support/payload-table(\\.js)?$', '^.*/edgemesh/test/nodes/[a-z-]+(\\.js)?$'], depConstraints },
];
const tests = ['**/*.test.ts', '**/test/**/*.ts', '**/bench/**/*.ts', '**/example/**/*.ts'];
const wiring = ['packages/*/src/**/*.module.ts', 'packages/core/src/**', 'packages/cli/src/compose.ts', 'packages/testing/src/**'];
const onlyInWiring = { name: 'inversify', message: 'Wiring lives in *.module.ts and compose.ts; a class takes one deps object.' };
const onlyInTests = { name: '@edge/testing', message: 'The test kit is for tests alone.' };

export default tseslint.config(
  { ignores: ['**/dist/**', '**/dist-bundle/**', '**/node_modules/**', '**/generated/**', '**/*.mjs'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': boundaries(layers),
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // A port and its token share one name; the one is a type, the other a value.
      '@typescript-eslint/no-redeclare': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      'no-console': 'error',
      'no-restricted-imports': ['error', { paths: [onlyInWiring, onlyInTests] }],
      'no-restricted-syntax': ['error', { selector: 'ExportAllDeclaration', message: 'The public surface is an explicit list.' }],
    },
  },
  { files: wiring, rules: { 'no-restricted-imports': ['error', { paths: [onlyInTests] }] } },
  { files: tests, rules: { '@nx/enforce-module-boundaries': boundaries(inTests), 'no-restricted-imports': 'off', 'no-console': 'off' } },
);
