/**
 * Hive's escapes over a Unicode expression. The binary collation makes REPLACE compare code units: a linguistic one ignores
 * characters that it gives no weight (NUL, and many beyond the Basic Multilingual Plane).
 */
export function hiveEscaped(unicode: string): string {
  return [
    ["N'\\'", "N'\\\\'"],
    ['NCHAR(10)', "N'\\n'"],
    ['NCHAR(13)', "N'\\r'"],
    ['NCHAR(9)', "N'\\' + NCHAR(9)"],
  ].reduce((text, [from, to]) => `REPLACE(${text}, ${from}, ${to})`, `(${unicode}) COLLATE Latin1_General_BIN2`);
}

/**
 * A sql_variant as JSON, `{"type":"decimal(5,2)","value":"1.50"}`: a bare text would not tell the number 1 from the text 1.
 * Values are written as columns of that type are; binary ones in hexadecimal.
 */
export function variantText(value: string, exactFloats: boolean): string {
  const property = (name: string): string => `CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(${value}, '${name}'))`;
  const base = property('BaseType');
  const type = `${base} + CASE ${base}
 WHEN N'decimal' THEN N'(' + ${property('Precision')} + N',' + ${property('Scale')} + N')'
 WHEN N'numeric' THEN N'(' + ${property('Precision')} + N',' + ${property('Scale')} + N')'
 WHEN N'time' THEN N'(' + ${property('Scale')} + N')'
 WHEN N'datetime2' THEN N'(' + ${property('Scale')} + N')'
 WHEN N'datetimeoffset' THEN N'(' + ${property('Scale')} + N')'
 ELSE N'' END`;
  const floatStyle = exactFloats ? 3 : 2;
  const written = `CASE ${base}
 WHEN N'float' THEN CONVERT(nvarchar(max), CONVERT(float, ${value}), ${floatStyle})
 WHEN N'real' THEN CONVERT(nvarchar(max), CONVERT(real, ${value}), ${floatStyle})
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
