-- The prelude in Spark SQL. Each macro is written out where it is called, so it may stand in
-- lambdas, aggregates and windows; lambda parameters have names that no other macro uses.

-- text and numbers
MACRO spl_num(s) AS
  CASE WHEN s RLIKE '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\\z' THEN CAST(s AS DOUBLE) END;
MACRO spl_text(n) AS
  CASE WHEN n = floor(n) AND abs(n) < 1e15 THEN CAST(CAST(n AS BIGINT) AS STRING)
       WHEN n = floor(n) AND abs(n) < 1e38 THEN CAST(CAST(n AS DECIMAL(38, 0)) AS STRING)
       WHEN abs(n) < 1e-4 THEN regexp_replace(format_string('%.14e', n), '[.]?0+e', 'e')
       ELSE regexp_replace(CAST(CAST(format_string('%.14e', n) AS DECIMAL(38, 20)) AS STRING), '[.]?0+\\z', '') END;
MACRO spl_int(n) AS CASE WHEN abs(n) < 9.2e18 THEN CAST(n AS BIGINT) END;
MACRO spl_bool(s) AS
  CASE WHEN lower(s) IN ('true', 't', 'yes', 'y', '1') THEN TRUE
       WHEN s IS NOT NULL THEN coalesce(spl_num(s) <> 0, FALSE) END;
MACRO spl_bool_text(b) AS CASE WHEN b THEN 'True' WHEN NOT b THEN 'False' END;
MACRO spl_epoch(t) AS unix_micros(t) / 1e6;
MACRO spl_timestamp(n) AS CASE WHEN abs(n) < 9e12 THEN timestamp_micros(CAST(round(n * 1e6) AS BIGINT)) END;
MACRO spl_to_clock(n, z) AS unix_micros(from_utc_timestamp(spl_timestamp(n), z)) / 1e6;
MACRO spl_from_clock(n, z) AS unix_micros(to_utc_timestamp(spl_timestamp(n), z)) / 1e6;

-- lists
MACRO spl_values(l) AS
  CASE WHEN size(filter(l, _values_x -> _values_x IS NOT NULL)) > 0
       THEN filter(l, _values_y -> _values_y IS NOT NULL) END;
MACRO spl_single(l) AS CASE WHEN size(l) = 1 THEN get(l, 0) END;
MACRO spl_list(s) AS CASE WHEN s IS NOT NULL THEN array(s) END;
MACRO spl_len(l) AS CAST(size(l) AS BIGINT);
MACRO spl_count(l) AS CAST(nullif(size(l), 0) AS BIGINT);
MACRO spl_append(a, b) AS CASE WHEN a IS NULL THEN b WHEN b IS NULL THEN a ELSE concat(a, b) END;
MACRO spl_mvindex(l, i) AS get(l, CAST(CASE WHEN i < 0 THEN size(l) + i ELSE i END AS INT));
MACRO spl_from_end(l, i) AS CASE WHEN i < 0 THEN size(l) + i ELSE i END;
MACRO spl_mvslice(l, i, j) AS
  CASE WHEN spl_from_end(l, i) >= 0 AND spl_from_end(l, j) >= spl_from_end(l, i)
            AND spl_from_end(l, j) < size(l)
       THEN slice(l, CAST(spl_from_end(l, i) + 1 AS INT), CAST(spl_from_end(l, j) - spl_from_end(l, i) + 1 AS INT)) END;
MACRO spl_position(l, s) AS CAST(nullif(array_position(l, s), 0) - 1 AS BIGINT);
MACRO spl_mvjoin(l, s) AS array_join(l, s);
MACRO spl_mvdedup(l) AS array_distinct(l);
MACRO spl_mvsort(l) AS array_sort(l);
MACRO spl_mvzip(a, b, s) AS
  zip_with(slice(a, 1, least(size(a), size(b))), slice(b, 1, least(size(a), size(b))),
           (_zip_x, _zip_y) -> concat(_zip_x, s, _zip_y));
MACRO spl_mvrange(a, b, s) AS
  CASE WHEN (b - a) / s > 1000000
       THEN array(raise_error('error[SPL326]: mvrange() gives at most 1,000,000 values'))
       WHEN s > 0 AND a < b OR s < 0 AND a > b THEN
    transform(sequence(0, CAST(ceil((b - a) / s) AS INT) - 1), _range_i -> spl_text(a + _range_i * s)) END;
MACRO spl_split(s, d) AS
  CASE WHEN d = '' AND s <> '' THEN filter(split(s, ''), _split_x -> _split_x <> '')
       ELSE split(s, concat('\\Q', d, '\\E'), -1) END;
MACRO spl_flat(l) AS flatten(l);
MACRO spl_first_values(l, n) AS CASE WHEN size(l) > 0 THEN slice(l, 1, n) END;
MACRO spl_sorted(l) AS CASE WHEN size(l) > 0 THEN array_sort(l) END;
MACRO spl_numbers(l) AS
  filter(transform(l, _numbers_x -> spl_num(_numbers_x)), _numbers_y -> _numbers_y IS NOT NULL);
MACRO spl_texts(l) AS filter(l, _texts_x -> spl_num(_texts_x) IS NULL);
MACRO spl_max(l) AS coalesce(array_max(spl_texts(l)), spl_text(array_max(spl_numbers(l))));
MACRO spl_min(l) AS coalesce(spl_text(array_min(spl_numbers(l))), array_min(spl_texts(l)));
MACRO spl_total(l) AS aggregate(l, CAST(0 AS DOUBLE), (_total_a, _total_x) -> _total_a + _total_x);
MACRO spl_sum(l) AS CASE WHEN size(spl_numbers(l)) > 0 THEN spl_total(spl_numbers(l)) END;
MACRO spl_avg(l) AS CASE WHEN size(spl_numbers(l)) > 0 THEN spl_total(spl_numbers(l)) / size(spl_numbers(l)) END;

-- text
MACRO spl_like(s, p) AS s LIKE replace(p, '!', '!!') ESCAPE '!';
MACRO spl_trim(s, c) AS trim(BOTH c FROM s);
MACRO spl_ltrim(s, c) AS trim(LEADING c FROM s);
MACRO spl_rtrim(s, c) AS trim(TRAILING c FROM s);
MACRO spl_start(s, i) AS
  CAST(CASE WHEN i < 0 THEN greatest(length(s) + i + 1, 1) ELSE greatest(i, 1) END AS INT);
MACRO spl_substr_from(s, i) AS substring(s, spl_start(s, i));
MACRO spl_substr(s, i, n) AS substring(s, spl_start(s, i), CAST(greatest(n, 0) AS INT));
MACRO spl_regex_match(s, p) AS s RLIKE p;
MACRO spl_regex_replace(s, p, r) AS regexp_replace(s, p, r);
MACRO spl_regex_group(s, p, n) AS regexp_extract(s, p, n);
MACRO spl_regex_groups(s, p, n, k) AS
  CASE WHEN size(filter(regexp_extract_all(s, p, n), _groups_x -> _groups_x <> '')) > 0
       THEN slice(filter(regexp_extract_all(s, p, n), _groups_y -> _groups_y <> ''), 1,
                  CASE WHEN k = 0 THEN 2147483647 ELSE k END) END;
MACRO spl_basename(s) AS regexp_replace(s, '(?d)^.*[\\\\/]', '');
MACRO spl_parse_hex(s) AS spl_parse_base(s, 16);
MACRO spl_blank_padded(s) AS regexp_replace(s, '^0', ' ');
MACRO spl_sha1(s) AS sha1(s);
MACRO spl_md5(s) AS md5(s);
MACRO spl_sha256(s) AS sha2(s, 256);
MACRO spl_sha512(s) AS sha2(s, 512);
MACRO spl_octet(s, i) AS CAST(get(split(s, '[.]'), i) AS BIGINT);
MACRO spl_ipv4(s) AS
  CASE WHEN s RLIKE '^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\z'
       THEN spl_octet(s, 0) * 16777216 + spl_octet(s, 1) * 65536 + spl_octet(s, 2) * 256 + spl_octet(s, 3) END;
MACRO spl_ip_key(s) AS coalesce(format_string('%010d', spl_ipv4(s)), s);
MACRO spl_ipv4_between(s, a, b) AS
  CASE WHEN s IS NOT NULL THEN coalesce(spl_ipv4(s) BETWEEN a AND b, FALSE) END;
MACRO spl_ipv4_text(n) AS
  concat_ws('.', CAST(shiftright(n, 24) & 255 AS STRING), CAST(shiftright(n, 16) & 255 AS STRING),
            CAST(shiftright(n, 8) & 255 AS STRING), CAST(n & 255 AS STRING));
MACRO spl_ipmask(s, m) AS CASE WHEN spl_ipv4(s) IS NOT NULL THEN spl_ipv4_text(spl_ipv4(s) & m) END;

-- numbers
MACRO spl_ceiling(n) AS CAST(ceil(n) AS DOUBLE);
MACRO spl_floor(n) AS CAST(floor(n) AS DOUBLE);
MACRO spl_round(n, d) AS CAST(round(n * pow(10, d)) AS DOUBLE) / pow(10, d);
MACRO spl_finite(n) AS CASE WHEN NOT isnan(n) AND abs(n) < double('Infinity') THEN n END;
MACRO spl_exp(n) AS spl_finite(exp(n));
MACRO spl_ln(n) AS CASE WHEN n > 0 THEN ln(n) END;
MACRO spl_entropy(s) AS
  CASE WHEN s = '' THEN 0.0 WHEN s IS NOT NULL THEN
    aggregate(array_distinct(split(s, '')), 0D, (_entropy_t, _entropy_c) -> _entropy_t
      - (length(s) - length(replace(s, _entropy_c, ''))) / length(s)
      * log2((length(s) - length(replace(s, _entropy_c, ''))) / length(s))) END;
MACRO spl_levenshtein(a, b) AS levenshtein(a, b);
MACRO spl_log(n, b) AS
  CASE WHEN n > 0 AND b = 10 THEN log10(n)
       WHEN n > 0 AND b > 0 AND b <> 1 THEN ln(n) / ln(b) END;
MACRO spl_pow(a, b) AS spl_finite(pow(a, b));
MACRO spl_sqrt(n) AS CASE WHEN n >= 0 THEN sqrt(n) END;
MACRO spl_acos(n) AS CASE WHEN abs(n) <= 1 THEN acos(n) END;
MACRO spl_acosh(n) AS CASE WHEN n >= 1 THEN acosh(n) END;
MACRO spl_asin(n) AS CASE WHEN abs(n) <= 1 THEN asin(n) END;
MACRO spl_asinh(n) AS asinh(n);
MACRO spl_atan(n) AS atan(n);
MACRO spl_atanh(n) AS CASE WHEN abs(n) < 1 THEN atanh(n) END;
MACRO spl_cos(n) AS cos(n);
MACRO spl_cosh(n) AS spl_finite(cosh(n));
MACRO spl_sin(n) AS sin(n);
MACRO spl_sinh(n) AS spl_finite(sinh(n));
MACRO spl_tan(n) AS tan(n);
MACRO spl_tanh(n) AS tanh(n);
MACRO spl_atan2(y, x) AS atan2(y, x);
MACRO spl_hypot(x, y) AS sqrt(x * x + y * y);
MACRO spl_random() AS CAST(floor(rand() * 2147483647) AS BIGINT);
MACRO spl_shift_left(n, k) AS
  CASE WHEN k BETWEEN 0 AND 62 AND n >= 0 THEN shiftleft(n, CAST(k AS INT)) & 9223372036854775807 END;
MACRO spl_shift_right(n, k) AS CASE WHEN k BETWEEN 0 AND 63 THEN shiftright(n, CAST(k AS INT)) END;
MACRO spl_xor(a, b) AS a ^ b;

-- kinds of text
MACRO spl_is_num(s) AS spl_num(s) IS NOT NULL;
MACRO spl_is_str(s) AS s IS NOT NULL AND spl_num(s) IS NULL;
MACRO spl_is_int(s) AS coalesce(s RLIKE '^[+-]?[0-9]+\\z', FALSE);
MACRO spl_is_double(s) AS spl_num(s) IS NOT NULL AND NOT s RLIKE '^[+-]?[0-9]+\\z';
MACRO spl_kind(s) AS CASE WHEN spl_num(s) IS NOT NULL THEN 'Number' ELSE 'String' END;

-- numbers as text
MACRO spl_hex(n) AS concat(CASE WHEN n < 0 THEN '-' ELSE '' END, '0x', hex(CASE WHEN abs(n) < 9.2e18D THEN CAST(abs(n) AS BIGINT) END));
MACRO spl_binary(n) AS concat(CASE WHEN n < 0 THEN '-' ELSE '' END, bin(CASE WHEN abs(n) < 9.2e18D THEN CAST(abs(n) AS BIGINT) END));
MACRO spl_commas(n) AS
  CASE WHEN n = rint(n) THEN format_number(n, 0) ELSE format_number(n, 2) END;
MACRO spl_duration_text(negative, s) AS
  concat(CASE WHEN negative AND s > 0 THEN '-' ELSE '' END,
         CASE WHEN s >= 86400 THEN concat(CAST(CAST(floor(s / 86400) AS BIGINT) AS STRING), '+') ELSE '' END,
         format_string('%02d:%02d:', CAST(floor(s % 86400 / 3600) AS BIGINT), CAST(floor(s % 3600 / 60) AS BIGINT)),
         CASE WHEN s = floor(s) THEN format_string('%02d', CAST(s % 60 AS BIGINT))
              ELSE format_string('%09.6f', s % 60) END);
MACRO spl_duration(n) AS
  CASE WHEN abs(n) < 1e38D THEN spl_duration_text(n < 0, round(abs(n), 6)) END;

-- times
MACRO spl_months(n) AS year(spl_timestamp(n)) * 12 + month(spl_timestamp(n)) - 23641;
MACRO spl_month_start(m) AS
  CAST(unix_seconds(CAST(make_date(CAST(1970 + floor(m / 12) AS INT), CAST(m - floor(m / 12) * 12 + 1 AS INT), 1) AS TIMESTAMP)) AS DOUBLE);
MACRO spl_month_bin(n, k) AS spl_month_start(floor(spl_months(n) / k) * k);

-- aggregates and what finishes them; collect_list and collect_set leave out nulls
MACRO spl_agg_count_if(b) AS count_if(b);
MACRO spl_agg_flatten(l) AS collect_list(l);
MACRO spl_agg_distinct_lists(l) AS collect_set(l);
MACRO spl_agg_flatten_ordered(l, k) AS
  transform(array_sort(collect_list(CASE WHEN l IS NOT NULL THEN struct(k AS k, l AS v) END)), _fo_x -> _fo_x.v);
MACRO spl_agg_list_ordered(s, k) AS
  transform(array_sort(collect_list(CASE WHEN s IS NOT NULL THEN struct(k AS k, s AS v) END)), _lo_x -> _lo_x.v);
MACRO spl_agg_distinct(s) AS collect_set(s);
MACRO spl_agg_first(v) AS first(v, TRUE);
MACRO spl_agg_last(v) AS last(v, TRUE);
MACRO spl_agg_mode(v) AS mode(v);
MACRO spl_agg_percentile(n, q) AS percentile_disc(q) WITHIN GROUP (ORDER BY n);
MACRO spl_agg_upper_percentile(n, q) AS percentile_disc(q) WITHIN GROUP (ORDER BY n);
MACRO spl_list_values(l) AS
  CASE WHEN size(flatten(l)) > 0 THEN array_sort(array_distinct(flatten(l))) END;
MACRO spl_list_max(l) AS
  CASE WHEN size(spl_texts(flatten(l))) = 0 THEN spl_text(array_max(spl_numbers(flatten(l))))
       ELSE array_max(flatten(l)) END;
MACRO spl_list_min(l) AS
  CASE WHEN size(spl_texts(flatten(l))) = 0 THEN spl_text(array_min(spl_numbers(flatten(l))))
       ELSE array_min(flatten(l)) END;
MACRO spl_list_sum(l) AS spl_sum(flatten(l));
MACRO spl_list_avg(l) AS spl_avg(flatten(l));
MACRO spl_list_range(l) AS array_max(spl_numbers(flatten(l))) - array_min(spl_numbers(flatten(l)));
MACRO spl_list_sumsq(l) AS
  CASE WHEN size(spl_numbers(flatten(l))) > 0
       THEN spl_total(transform(spl_numbers(flatten(l)), _sq_x -> _sq_x * _sq_x)) END;
MACRO spl_list_varp(l) AS
  spl_list_sumsq(l) / size(spl_numbers(flatten(l))) - pow(spl_list_avg(l), 2);
MACRO spl_list_stdevp(l) AS sqrt(greatest(spl_list_varp(l), 0));
MACRO spl_list_var(l) AS
  CASE WHEN size(spl_numbers(flatten(l))) = 1 THEN CAST(0 AS DOUBLE)
       ELSE spl_list_varp(l) * size(spl_numbers(flatten(l))) / (size(spl_numbers(flatten(l))) - 1) END;
MACRO spl_list_stdev(l) AS sqrt(greatest(spl_list_var(l), 0));
MACRO spl_list_percentile(l, q) AS
  get(array_sort(spl_numbers(flatten(l))),
      greatest(CAST(ceil(q * size(spl_numbers(flatten(l)))) AS INT) - 1, 0));
MACRO spl_list_upper_percentile(l, q) AS spl_list_percentile(l, q);
MACRO spl_list_mode(l) AS
  array_max(transform(array_distinct(flatten(l)),
    _mode_x -> struct(size(filter(flatten(l), _mode_y -> _mode_y = _mode_x)) AS n, _mode_x AS v))).v;
MACRO spl_list_median(l) AS
  get(array_sort(spl_numbers(flatten(l))), CAST(floor(size(spl_numbers(flatten(l))) / 2) AS INT));

-- provenance: the events behind a row
MACRO spl_collect_ids(i) AS slice(array_sort(collect_set(i)), 1, 100);
MACRO spl_collect_ids_lists(i) AS slice(array_sort(array_distinct(flatten(collect_list(i)))), 1, 100);
MACRO spl_collect_files(f) AS array_sort(collect_set(f));
MACRO spl_collect_files_lists(f) AS array_sort(array_distinct(flatten(collect_list(f))));

-- what commands need
MACRO spl_map_concat(a, b) AS
  CASE WHEN a IS NULL THEN b WHEN b IS NULL THEN a ELSE map_concat(map_filter(a, (_map_k, _map_v) -> NOT coalesce(map_contains_key(b, _map_k), FALSE)), b) END;
MACRO spl_arrival(t, i) AS struct(t AS k0, i AS k1);
