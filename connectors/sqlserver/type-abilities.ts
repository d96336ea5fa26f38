import { deviation, MONEY_BY_DECIMAL, probesStatement, TYPE_PROBES, type TypeProbe } from './type-probes.ts';
import type { TypeAbilities } from './types.ts';
import type { Row } from './wire-row.ts';

/**
 * Finds out which types a server sends as they are stored, by a value of each. A server that answers like SQL Server may still
 * round, or drop decimals; what it sends then has the very hash that it computes, so nothing else would show it.
 *
 * @param ask for the row of a statement; undefined when the server does not understand it
 */
export async function findTypeAbilities(ask: (statement: string) => Promise<Row | undefined>): Promise<TypeAbilities> {
  const inexact = new Map<string, string>();
  const found = await ask(probesStatement(TYPE_PROBES));
  for (const [at, probe] of TYPE_PROBES.entries()) {
    // Together they are one question; a server that does not know one of the types understands none of it.
    const problem = found === undefined ? await problemOf(probe, ask) : deviation(probe, found[at]);
    if (problem !== undefined) for (const type of probe.types) inexact.set(type, problem);
  }
  const dropsDecimals = MONEY_BY_DECIMAL.types.some((type) => inexact.has(type));
  if (!dropsDecimals || (await problemOf(MONEY_BY_DECIMAL, ask)) !== undefined) return { inexact };
  for (const type of MONEY_BY_DECIMAL.types) inexact.delete(type);
  return { inexact, moneyByDecimal: true };
}

async function problemOf(
  probe: TypeProbe,
  ask: (statement: string) => Promise<Row | undefined>,
): Promise<string | undefined> {
  const row = await ask(probesStatement([probe]));
  return row === undefined ? 'it does not know it' : deviation(probe, row[0]);
}
