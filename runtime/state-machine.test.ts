import { expect, test } from 'vitest';
import { StateMachine } from './state-machine.ts';

test('makes the transitions that it may, and shows any other as a defect', () => {
  const door = new StateMachine('The door', 'open', { open: ['shut'], shut: ['open', 'locked'], locked: [] });
  door.to('shut');
  expect(door.is('open', 'shut')).toBe(true);
  door.expect('shut');
  door.to('locked');
  expect(() => {
    door.to('open');
  }).toThrow(expect.objectContaining({ code: 'defect' }));
  expect(() => {
    door.expect('open');
  }).toThrow('The door is locked, not open');
  expect(door.state).toBe('locked');
});
