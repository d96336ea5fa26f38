/**
 * The functions of Hive 4 that a statement may call: all of its own but those that reach beyond the query: `reflect`, `reflect2` and `java_method` (any
 * Java method), `in_file` (files of the server), `get_splits`, `get_llap_splits` and `get_sql_schema` (statements in texts), `matchpath`, `noop…` and
 * `windowingtablefunction` (table functions), and those for tests of Hive itself. A list of what is allowed, so that a function
 * which somebody adds to the server is not called until it stands here.
 */
const FUNCTIONS = new Set(
  `abs acos add_months aes_decrypt aes_encrypt approx_distinct array array_contains array_distinct array_except array_intersect array_join array_max
  array_min array_remove array_slice array_union ascii asin assert_true atan avg base64 bigint bin binary bloom_filter boolean bround bucket_number
  buildversion cast cast_format cbrt ceil ceiling char char_length character_length chr coalesce collect_list collect_set compute_bit_vector_fm
  compute_bit_vector_hll compute_stats concat concat_ws context_ngrams conv corr cos cosh count covar_pop covar_samp crc32 create_union cume_dist
  current_authorizer current_catalog current_database current_date current_groups current_schema current_timestamp current_user date date_add date_format
  date_sub datediff datetime_legacy_hybrid_calendar day dayofmonth dayofweek decimal decode degrees dense_rank deserialize double e elt encode exp explode
  extract extract_union factorial field find_in_set first_value float floor floor_day floor_hour floor_minute floor_month floor_quarter floor_second
  floor_week floor_year format_number from_unixtime from_utc_timestamp get_json_object greatest grouping hash hex histogram_numeric hour if in_bloom_filter
  index initcap inline instr int internal_interval interval isfalse isnotfalse isnotnull isnottrue isnull istrue json_read json_tuple lag last_day
  last_value lcase lead least length levenshtein ln locate log log10 log2 logged_in_user lower lpad ltrim map map_keys map_values mask mask_first_n
  mask_hash mask_last_n mask_show_first_n mask_show_last_n max md5 mid min minute mod month months_between murmur_hash named_struct ndv_compute_bit_vector
  negative next_day ngrams ntile nullif numeric nvl octet_length parse_url parse_url_tuple percent_rank percentile percentile_approx percentile_cont
  percentile_disc pi pmod posexplode position positive pow power printf quarter quote radians rand rank regexp_extract regexp_replace regr_avgx regr_avgy
  regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat replace replicate_rows reverse round row_number rpad rtrim second
  sentences sha sha1 sha2 shiftleft shiftright shiftrightunsigned sign sin sinh size smallint sort_array sort_array_by soundex space split sqrt stack std
  stddev stddev_pop stddev_samp str_to_map string struct substr substring substring_index sum tan tanh timestamp tinyint to_date to_epoch_milli
  to_unix_timestamp to_utc_timestamp translate trim trunc tumbling_window typeof ucase unbase64 unhex unix_timestamp upper uuid var_pop var_samp varchar
  variance version weekofyear width_bucket xpath xpath_boolean xpath_double xpath_float xpath_int xpath_long xpath_number xpath_short xpath_string
  year`.split(/\s+/),
);

/** Families of functions that do nothing but compute: sketches and geometry. */
const FAMILIES = /^(?:ds|st)_[a-z0-9_]+$/;

/** @param name in lower case */
export function mayBeCalled(name: string): boolean {
  return FUNCTIONS.has(name) || FAMILIES.test(name);
}
