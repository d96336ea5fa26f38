export function withLockFile<T>(path: string, work: () => Promise<T>, onWait?: (holderPid: number) => void): Promise<T>;
