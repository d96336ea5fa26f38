import { expect, test } from 'vitest';
import { SINK_NAMES } from '../../grid/sinks.ts';
import { openerOf } from './open-sinks.ts';

test.each(SINK_NAMES)('the sink %s has a folder with what opens it', async (name) => {
  expect(await openerOf(name)).toBeTypeOf('function');
});
