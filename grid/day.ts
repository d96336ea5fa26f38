/** Day of a moment in a zone (an IANA name), YYYY-MM-DD; in UTC when nobody knows the zone. */
export function dayIn(moment: Date, timeZone: string): string {
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
      .formatToParts(moment)
      .map(({ type, value }) => [type, value] as const);
    const { year = '', month = '', day = '' } = Object.fromEntries(parts);
    return `${year.padStart(4, '0')}-${month}-${day}`;
  } catch {
    return moment.toISOString().slice(0, 10);
  }
}
