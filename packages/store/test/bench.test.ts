import { expect, it } from 'vitest';
import { benchCommits } from '../bench/commits.js';

it('[store-11.1] the benchmark runs and gives figures', async () => {
  const figures = await benchCommits({ duration: 50 });
  for (const figure of [figures.oneByOne, figures.grouped, figures.unchanged, figures.openMilliseconds]) expect(figure).toBeGreaterThan(0);
});
