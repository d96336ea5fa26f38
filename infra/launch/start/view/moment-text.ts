const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** Of today the time to the second, of another day the date and the minute; in the time zone of this machine. */
export function momentText(ms: number, nowMs: number): string {
  if (date.format(ms) === date.format(nowMs)) return clock.format(ms);
  return `${date.format(ms)} ${minute.format(ms)}`;
}
