/**
 * Expressions that have SQL Server write a value as text, of types whose values the driver or JavaScript would round. Whether a
 * server writes them in this way is tried before it is believed: `type-probes.ts`.
 */

/** All digits of the scale. */
export const decimalText = (value: string): string => `CONVERT(varchar(41), ${value})`;

/** The default style keeps two of money's four decimal places; style 2 keeps all. */
export function moneyText(value: string, byDecimal = false): string {
  return byDecimal ? `CONVERT(varchar(22), CONVERT(decimal(19,4), ${value}))` : `CONVERT(varchar(22), ${value}, 2)`;
}

/** 17 digits, which tell all doubles apart (SQL Server 2016 and later). */
export const floatText = (value: string): string => `CONVERT(varchar(32), ${value}, 3)`;

export const dateText = (value: string): string => `CONVERT(varchar(10), ${value}, 23)`;
export const datetimeText = (value: string): string => `CONVERT(varchar(23), ${value}, 121)`;
export const smalldatetimeText = (value: string): string => `CONVERT(varchar(19), ${value}, 120)`;
export const datetime2Text = (value: string): string => `CONVERT(varchar(27), ${value}, 121)`;
export const timeText = (value: string): string => `CONVERT(varchar(16), ${value}, 121)`;

/** `2024-02-29T23:59:59.1234567+05:30` of a datetimeoffset: as precise as the column, with its own offset. */
export function isoWithOffset(value: string): string {
  const spaced = `CONVERT(varchar(34), ${value}, 121)`;
  return `STUFF(REPLACE(REPLACE(${spaced}, ' +', '+'), ' -', '-'), 11, 1, 'T')`;
}

export const xmlText = (value: string): string => `CONVERT(nvarchar(max), ${value}, 1)`;

/**
 * A sql_variant as JSON, `{"type":"decimal(5,2)","value":"1.50"}`: a bare text would not tell the number 1 from the text 1.
 * Values are written as columns of that type are; binary ones in hexadecimal.
 */
export function variantText(value: string): string {
  const property = (name: string): string => `CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(${value}, '${name}'))`;
  const base = property('BaseType');
  const type = `${base} + CASE ${base}
 WHEN N'decimal' THEN N'(' + ${property('Precision')} + N',' + ${property('Scale')} + N')'
 WHEN N'numeric' THEN N'(' + ${property('Precision')} + N',' + ${property('Scale')} + N')'
 WHEN N'time' THEN N'(' + ${property('Scale')} + N')'
 WHEN N'datetime2' THEN N'(' + ${property('Scale')} + N')'
 WHEN N'datetimeoffset' THEN N'(' + ${property('Scale')} + N')'
 ELSE N'' END`;
  const written = `CASE ${base}
 WHEN N'float' THEN CONVERT(nvarchar(max), CONVERT(float, ${value}), 3)
 WHEN N'real' THEN CONVERT(nvarchar(max), CONVERT(real, ${value}), 3)
 WHEN N'money' THEN CONVERT(nvarchar(max), CONVERT(money, ${value}), 2)
 WHEN N'smallmoney' THEN CONVERT(nvarchar(max), CONVERT(smallmoney, ${value}), 2)
 WHEN N'date' THEN CONVERT(nvarchar(max), CONVERT(date, ${value}), 23)
 WHEN N'datetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, ${value}), 121)
 WHEN N'smalldatetime' THEN CONVERT(nvarchar(max), CONVERT(smalldatetime, ${value}), 120)
 WHEN N'datetime2' THEN CONVERT(nvarchar(max), CONVERT(datetime2(7), ${value}), 121)
 WHEN N'time' THEN CONVERT(nvarchar(max), CONVERT(time(7), ${value}), 121)
 WHEN N'datetimeoffset' THEN CONVERT(nvarchar(max), CONVERT(datetimeoffset(7), ${value}), 121)
 WHEN N'binary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), ${value}), 2)
 WHEN N'varbinary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), ${value}), 2)
 ELSE CONVERT(nvarchar(max), ${value}) END`;
  return `N'{"type":"' + ${type} + N'","value":"' + STRING_ESCAPE(${written}, 'json') + N'"}'`;
}
