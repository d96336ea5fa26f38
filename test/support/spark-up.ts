import { setUpWith } from './stack-up.ts';

/** Brings up what the tests of the `spark` project use: Spark's Thrift server in HiveServer2's place. */
export default function setUp(): Promise<() => Promise<void>> {
  return setUpWith('spark');
}
