import { expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.ts';

it('refuses what would pass the bound and takes it again when room was given back', () => {
  const budget = new ByteBudget(100);
  expect(budget.tryTake(60)).toBe(true);
  expect(budget.tryTake(41)).toBe(false);
  budget.give(60);
  expect(budget.tryTake(41)).toBe(true);
  expect(budget.usedBytes).toBe(41);
});

it('lets in a share larger than the bound only when nothing else is taken', () => {
  const budget = new ByteBudget(100);
  expect(budget.tryTake(500)).toBe(true);
  expect(budget.tryTake(1)).toBe(false);
});

it('admits who waits in the order of asking, and nobody past them', async () => {
  const budget = new ByteBudget(100);
  budget.tryTake(100);
  const admitted: string[] = [];
  const first = budget.room(80).then(() => admitted.push('first'));
  const second = budget.room(10).then(() => admitted.push('second'));
  budget.give(50);
  await Promise.resolve();
  expect(admitted).toEqual([]);
  budget.give(50);
  await Promise.all([first, second]);
  expect(admitted).toEqual(['first', 'second']);
});

it('lets everybody go on when it is closed', async () => {
  const budget = new ByteBudget(100);
  budget.tryTake(100);
  const waiting = budget.room(80);
  budget.close();
  await waiting;
  await budget.room(1_000);
});
