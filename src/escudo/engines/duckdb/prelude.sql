-- The prelude: what SPL means, as DuckDB macros. One name a line of meaning; types are fixed:
-- text VARCHAR, numbers DOUBLE, integers BIGINT, times DOUBLE (epoch seconds, UTC), lists VARCHAR[].

-- text and numbers
CREATE OR REPLACE MACRO spl_num(s) AS
  CASE WHEN unicode(s) BETWEEN 43 AND 57 AND unicode(s[-1]) > 32 AND NOT contains(s, '_')
            AND NOT contains(s, '+-')
            AND isfinite(TRY_CAST(s AS DOUBLE))
       THEN TRY_CAST(s AS DOUBLE) END;
CREATE OR REPLACE MACRO spl_text(n) AS
  CASE WHEN n = trunc(n) AND abs(n) < 1e15 THEN CAST(CAST(n AS BIGINT) AS VARCHAR)
       WHEN n = trunc(n) AND abs(n) < 1e38 THEN CAST(CAST(n AS HUGEINT) AS VARCHAR)
       ELSE printf('%.15g', n) END;
CREATE OR REPLACE MACRO spl_int(n) AS
  CASE WHEN abs(n) < 9.2e18 THEN CAST(trunc(n) AS BIGINT) END;
CREATE OR REPLACE MACRO spl_bool(s) AS
  CASE WHEN lower(s) IN ('true', 't', 'yes', 'y', '1') THEN TRUE
       WHEN s IS NOT NULL THEN coalesce(spl_num(s) <> 0, FALSE) END;
CREATE OR REPLACE MACRO spl_bool_text(b) AS
  CASE WHEN b THEN 'True' WHEN NOT b THEN 'False' END;
CREATE OR REPLACE MACRO spl_epoch(t) AS epoch_us(t) / 1000000.0::DOUBLE;
CREATE OR REPLACE MACRO spl_timestamp(n) AS
  CASE WHEN abs(n) < 9e12 THEN make_timestamp(CAST(round(n * 1000000) AS BIGINT)) END;
CREATE OR REPLACE MACRO spl_to_clock(n, z) AS
  epoch_us(timezone(z, timezone('UTC', spl_timestamp(n)))) / 1000000.0::DOUBLE;
CREATE OR REPLACE MACRO spl_from_clock(n, z) AS
  CASE WHEN spl_to_clock(epoch_us(timezone(z, spl_timestamp(n))) / 1000000.0::DOUBLE - 3600, z) = n
       THEN epoch_us(timezone(z, spl_timestamp(n))) / 1000000.0::DOUBLE - 3600
       ELSE epoch_us(timezone(z, spl_timestamp(n))) / 1000000.0::DOUBLE END;

-- lists
CREATE OR REPLACE MACRO spl_values(l) AS
  nullif(list_filter(l, lambda x: x IS NOT NULL), CAST([] AS VARCHAR[]));
CREATE OR REPLACE MACRO spl_single(l) AS CASE WHEN len(l) = 1 THEN l[1] END;
CREATE OR REPLACE MACRO spl_list(s) AS CASE WHEN s IS NOT NULL THEN [s] END;
CREATE OR REPLACE MACRO spl_len(l) AS len(l);
CREATE OR REPLACE MACRO spl_count(l) AS nullif(len(l), 0);
CREATE OR REPLACE MACRO spl_append(a, b) AS
  CASE WHEN a IS NULL THEN b WHEN b IS NULL THEN a ELSE list_concat(a, b) END;
CREATE OR REPLACE MACRO spl_mvindex(l, i) AS l[CASE WHEN i < 0 THEN i ELSE i + 1 END];
CREATE OR REPLACE MACRO spl_from_end(l, i) AS CASE WHEN i < 0 THEN len(l) + i ELSE i END;
CREATE OR REPLACE MACRO spl_mvslice(l, i, j) AS
  CASE WHEN spl_from_end(l, i) >= 0 AND spl_from_end(l, j) >= spl_from_end(l, i)
            AND spl_from_end(l, j) < len(l)
       THEN l[spl_from_end(l, i) + 1 : spl_from_end(l, j) + 1] END;
CREATE OR REPLACE MACRO spl_position(l, s) AS nullif(coalesce(list_position(l, s), 0), 0) - 1;
CREATE OR REPLACE MACRO spl_mvjoin(l, s) AS
  CASE WHEN len(l) = 0 THEN '' ELSE list_reduce(l, lambda x, y: x || s || y) END;
CREATE OR REPLACE MACRO spl_mvdedup(l) AS
  list_filter(l, lambda x, i: list_position(l, x) = i);
CREATE OR REPLACE MACRO spl_mvsort(l) AS list_sort(l);
CREATE OR REPLACE MACRO spl_mvzip(a, b, s) AS
  list_transform(a[1 : least(len(a), len(b))], lambda x, i: x || s || b[i]);
CREATE OR REPLACE MACRO spl_mvrange(a, b, s) AS
  CASE WHEN (b - a) / s > 1000000 THEN error('error[SPL326]: mvrange() gives at most 1,000,000 values')
       WHEN s > 0 AND a < b OR s < 0 AND a > b THEN
    list_transform(range(CAST(least(ceil((b - a) / s), 1000000) AS BIGINT)), lambda i: spl_text(a + i * s)) END;
CREATE OR REPLACE MACRO spl_split(s, d) AS string_split(s, d);
CREATE OR REPLACE MACRO spl_first_values(l, n) AS l[1 : n];
CREATE OR REPLACE MACRO spl_sorted(l) AS list_sort(l);
CREATE OR REPLACE MACRO spl_numbers(l) AS
  list_filter(list_transform(l, lambda x: spl_num(x)), lambda x: x IS NOT NULL);
CREATE OR REPLACE MACRO spl_texts(l) AS list_filter(l, lambda x: spl_num(x) IS NULL);
-- The lambda names the list once: text that a macro repeats doubles at each call inside another.
CREATE OR REPLACE MACRO spl_max(l) AS
  list_transform([l], lambda v: coalesce(list_max(spl_texts(v)), spl_text(list_max(spl_numbers(v)))))[1];
CREATE OR REPLACE MACRO spl_min(l) AS
  list_transform([l], lambda v: coalesce(spl_text(list_min(spl_numbers(v))), list_min(spl_texts(v))))[1];
CREATE OR REPLACE MACRO spl_sum(l) AS list_sum(spl_numbers(l));
CREATE OR REPLACE MACRO spl_avg(l) AS list_avg(spl_numbers(l));

-- text
CREATE OR REPLACE MACRO spl_like(s, p) AS s LIKE replace(p, '!', '!!') ESCAPE '!';
CREATE OR REPLACE MACRO spl_trim(s, c) AS trim(s, c);
CREATE OR REPLACE MACRO spl_ltrim(s, c) AS ltrim(s, c);
CREATE OR REPLACE MACRO spl_rtrim(s, c) AS rtrim(s, c);
CREATE OR REPLACE MACRO spl_start(s, i) AS
  CASE WHEN i < 0 THEN greatest(length(s) + i + 1, 1) ELSE greatest(i, 1) END;
CREATE OR REPLACE MACRO spl_substr_from(s, i) AS substring(s, spl_start(s, i));
CREATE OR REPLACE MACRO spl_substr(s, i, n) AS
  substring(s, spl_start(s, i), greatest(n, 0));
CREATE OR REPLACE MACRO spl_regex_match(s, p) AS regexp_matches(s, p);
CREATE OR REPLACE MACRO spl_regex_replace(s, p, r) AS regexp_replace(s, p, r, 'g');
CREATE OR REPLACE MACRO spl_regex_group(s, p, n) AS regexp_extract(s, p, n);
CREATE OR REPLACE MACRO spl_regex_groups(s, p, n, k) AS
  nullif(list_filter(CASE WHEN k = 0 THEN regexp_extract_all(s, p, n)
                          ELSE regexp_extract_all(s, p, n)[1 : k] END, lambda x: x <> ''),
         CAST([] AS VARCHAR[]));
CREATE OR REPLACE MACRO spl_flat(l) AS flatten(l);
CREATE OR REPLACE MACRO spl_basename(s) AS
  CASE WHEN contains(s, chr(10)) THEN regexp_replace(s, '^.*[\\/]', '')
       ELSE parse_filename(s, FALSE, 'both_slash') END;
CREATE OR REPLACE MACRO spl_parse_hex(s) AS
  coalesce(CASE WHEN NOT contains(s, '_') THEN
             TRY_CAST(CASE WHEN s LIKE '0x%' THEN s ELSE '0x' || s END AS UBIGINT) END::DOUBLE,
           spl_parse_base(s, 16));
CREATE OR REPLACE MACRO spl_blank_padded(s) AS regexp_replace(s, '^0', ' ');
CREATE OR REPLACE MACRO spl_sha1(s) AS sha1(s);
CREATE OR REPLACE MACRO spl_md5(s) AS md5(s);
CREATE OR REPLACE MACRO spl_sha256(s) AS sha256(s);
CREATE OR REPLACE MACRO spl_ipv4(s) AS
  CASE WHEN regexp_full_match(s, '(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)')
       THEN split_part(s, '.', 1)::BIGINT * 16777216 + split_part(s, '.', 2)::BIGINT * 65536
          + split_part(s, '.', 3)::BIGINT * 256 + split_part(s, '.', 4)::BIGINT END;
CREATE OR REPLACE MACRO spl_ip_key(s) AS coalesce(printf('%010d', spl_ipv4(s)), s);
CREATE OR REPLACE MACRO spl_ipv4_between(s, a, b) AS
  CASE WHEN s IS NOT NULL THEN coalesce(spl_ipv4(s) BETWEEN a AND b, FALSE) END;
CREATE OR REPLACE MACRO spl_ipv4_text(n) AS
  concat_ws('.', (n >> 24) & 255, (n >> 16) & 255, (n >> 8) & 255, n & 255);
CREATE OR REPLACE MACRO spl_ipmask(s, m) AS
  CASE WHEN spl_ipv4(s) IS NOT NULL THEN spl_ipv4_text(spl_ipv4(s) & m) END;

-- numbers
CREATE OR REPLACE MACRO spl_ceiling(n) AS ceil(n);
CREATE OR REPLACE MACRO spl_floor(n) AS floor(n);
CREATE OR REPLACE MACRO spl_round(n, d) AS round(n, CAST(d AS INTEGER));
CREATE OR REPLACE MACRO spl_finite(n) AS CASE WHEN isfinite(n) THEN n END;
CREATE OR REPLACE MACRO spl_exp(n) AS spl_finite(exp(n));
CREATE OR REPLACE MACRO spl_ln(n) AS CASE WHEN n > 0 THEN ln(n) END;
CREATE OR REPLACE MACRO spl_entropy(s) AS
  CASE WHEN s = '' THEN 0.0 WHEN s IS NOT NULL THEN list_entropy(string_split(s, '')) END;
CREATE OR REPLACE MACRO spl_levenshtein(a, b) AS levenshtein(a, b);
CREATE OR REPLACE MACRO spl_log(n, b) AS
  CASE WHEN n > 0 AND b = 10 THEN log10(n)
       WHEN n > 0 AND b > 0 AND b <> 1 THEN ln(n) / ln(b) END;
CREATE OR REPLACE MACRO spl_pow(a, b) AS spl_finite(pow(a, b));
CREATE OR REPLACE MACRO spl_sqrt(n) AS CASE WHEN n >= 0 THEN sqrt(n) END;
CREATE OR REPLACE MACRO spl_acos(n) AS CASE WHEN abs(n) <= 1 THEN acos(n) END;
CREATE OR REPLACE MACRO spl_acosh(n) AS CASE WHEN n >= 1 THEN acosh(n) END;
CREATE OR REPLACE MACRO spl_asin(n) AS CASE WHEN abs(n) <= 1 THEN asin(n) END;
CREATE OR REPLACE MACRO spl_asinh(n) AS asinh(n);
CREATE OR REPLACE MACRO spl_atan(n) AS atan(n);
CREATE OR REPLACE MACRO spl_atanh(n) AS CASE WHEN abs(n) < 1 THEN atanh(n) END;
CREATE OR REPLACE MACRO spl_cos(n) AS cos(n);
CREATE OR REPLACE MACRO spl_cosh(n) AS spl_finite(cosh(n));
CREATE OR REPLACE MACRO spl_sin(n) AS sin(n);
CREATE OR REPLACE MACRO spl_sinh(n) AS spl_finite(sinh(n));
CREATE OR REPLACE MACRO spl_tan(n) AS tan(n);
CREATE OR REPLACE MACRO spl_tanh(n) AS tanh(n);
CREATE OR REPLACE MACRO spl_atan2(y, x) AS atan2(y, x);
CREATE OR REPLACE MACRO spl_hypot(x, y) AS sqrt(x * x + y * y);
CREATE OR REPLACE MACRO spl_random() AS CAST(floor(random() * 2147483647) AS BIGINT);
CREATE OR REPLACE MACRO spl_shift_left(n, k) AS
  CASE WHEN k BETWEEN 0 AND 62 AND n >= 0 THEN
    CAST((CAST(n AS HUGEINT) * CAST(pow(2, k) AS HUGEINT)) % 9223372036854775808 AS BIGINT) END;
CREATE OR REPLACE MACRO spl_shift_right(n, k) AS
  CASE WHEN k BETWEEN 0 AND 63 THEN n >> k END;
CREATE OR REPLACE MACRO spl_xor(a, b) AS xor(a, b);

-- kinds of text
CREATE OR REPLACE MACRO spl_is_num(s) AS spl_num(s) IS NOT NULL;
CREATE OR REPLACE MACRO spl_is_str(s) AS s IS NOT NULL AND spl_num(s) IS NULL;
CREATE OR REPLACE MACRO spl_is_int(s) AS coalesce(regexp_full_match(s, '[+-]?\d+'), FALSE);
CREATE OR REPLACE MACRO spl_is_double(s) AS
  spl_num(s) IS NOT NULL AND NOT regexp_full_match(s, '[+-]?\d+');
CREATE OR REPLACE MACRO spl_kind(s) AS
  CASE WHEN spl_num(s) IS NOT NULL THEN 'Number' ELSE 'String' END;

-- numbers as text
CREATE OR REPLACE MACRO spl_hex(n) AS
  CASE WHEN n < 0 THEN '-' ELSE '' END || '0x' || hex(TRY_CAST(abs(trunc(n)) AS UBIGINT));
CREATE OR REPLACE MACRO spl_binary(n) AS
  CASE WHEN n < 0 THEN '-' ELSE '' END || bin(TRY_CAST(abs(trunc(n)) AS UBIGINT));
CREATE OR REPLACE MACRO spl_commas(n) AS
  CASE WHEN n = trunc(n) THEN format('{:,}', TRY_CAST(n AS HUGEINT))
       ELSE CASE WHEN round(n, 2) < 0 THEN '-' ELSE '' END
            || format('{:,}', TRY_CAST(trunc(abs(round(n, 2))) AS HUGEINT))
            || printf('%.2f', abs(round(n, 2) - trunc(round(n, 2))))[2:] END;
CREATE OR REPLACE MACRO spl_duration_text(negative, s) AS
  CASE WHEN negative AND s > 0 THEN '-' ELSE '' END
  || CASE WHEN s >= 86400 THEN CAST(TRY_CAST(floor(s / 86400) AS HUGEINT) AS VARCHAR) || '+' ELSE '' END
  || printf('%02d:%02d:', CAST(floor(s % 86400 / 3600) AS BIGINT), CAST(floor(s % 3600 / 60) AS BIGINT))
  || CASE WHEN s = floor(s) THEN printf('%02d', CAST(s % 60 AS BIGINT))
          ELSE printf('%09.6f', s % 60) END;
-- Rounded to a microsecond first, so that no carry is left over when the seconds are written.
CREATE OR REPLACE MACRO spl_duration(n) AS spl_duration_text(n < 0, round(abs(n), 6));

-- times
CREATE OR REPLACE MACRO spl_strftime(n, f) AS strftime(spl_timestamp(n), f);
CREATE OR REPLACE MACRO spl_strptime(s, f) AS epoch_us(CAST(try_strptime(s, f) AS TIMESTAMPTZ)) / 1000000.0::DOUBLE;
CREATE OR REPLACE MACRO spl_months(n) AS
  year(spl_timestamp(n)) * 12 + month(spl_timestamp(n)) - 23641;
CREATE OR REPLACE MACRO spl_month_start(m) AS
  CAST(epoch(make_date(1970 + CAST(floor(m / 12) AS BIGINT), CAST(m - floor(m / 12) * 12 + 1 AS BIGINT), 1)) AS DOUBLE);
CREATE OR REPLACE MACRO spl_month_bin(n, k) AS spl_month_start(floor(spl_months(n) / k) * k);

-- aggregates (each is one aggregate call, so that OVER can follow) and what finishes them
CREATE OR REPLACE MACRO spl_agg_count_if(b) AS count_if(b);
CREATE OR REPLACE MACRO spl_agg_flatten(l) AS array_agg(l) FILTER (WHERE l IS NOT NULL);
CREATE OR REPLACE MACRO spl_agg_distinct_lists(l) AS array_agg(DISTINCT l) FILTER (WHERE l IS NOT NULL);
CREATE OR REPLACE MACRO spl_agg_flatten_ordered(l, k) AS
  array_agg(l ORDER BY k) FILTER (WHERE l IS NOT NULL);
CREATE OR REPLACE MACRO spl_agg_list_ordered(s, k) AS
  array_agg(s ORDER BY k) FILTER (WHERE s IS NOT NULL);
CREATE OR REPLACE MACRO spl_agg_distinct(s) AS array_agg(DISTINCT s) FILTER (WHERE s IS NOT NULL);
CREATE OR REPLACE MACRO spl_agg_first(v) AS first(v) FILTER (WHERE v IS NOT NULL);
CREATE OR REPLACE MACRO spl_agg_last(v) AS last(v) FILTER (WHERE v IS NOT NULL);
CREATE OR REPLACE MACRO spl_agg_mode(v) AS mode(v);
CREATE OR REPLACE MACRO spl_agg_percentile(n, share) AS quantile_disc(n, share);
CREATE OR REPLACE MACRO spl_agg_upper_percentile(n, share) AS quantile_disc(n, share);
CREATE OR REPLACE MACRO spl_list_values(l) AS
  nullif(list_sort(list_distinct(flatten(l))), CAST([] AS VARCHAR[]));
CREATE OR REPLACE MACRO spl_list_max(l) AS
  CASE WHEN len(spl_texts(flatten(l))) = 0 THEN spl_text(list_max(spl_numbers(flatten(l))))
       ELSE list_max(flatten(l)) END;
CREATE OR REPLACE MACRO spl_list_min(l) AS
  CASE WHEN len(spl_texts(flatten(l))) = 0 THEN spl_text(list_min(spl_numbers(flatten(l))))
       ELSE list_min(flatten(l)) END;
CREATE OR REPLACE MACRO spl_list_sum(l) AS list_sum(spl_numbers(flatten(l)));
CREATE OR REPLACE MACRO spl_list_avg(l) AS list_avg(spl_numbers(flatten(l)));
CREATE OR REPLACE MACRO spl_list_range(l) AS
  list_max(spl_numbers(flatten(l))) - list_min(spl_numbers(flatten(l)));
CREATE OR REPLACE MACRO spl_list_sumsq(l) AS
  list_sum(list_transform(spl_numbers(flatten(l)), lambda x: x * x));
CREATE OR REPLACE MACRO spl_list_stdev(l) AS
  coalesce(list_stddev_samp(spl_numbers(flatten(l))), list_sum(spl_numbers(flatten(l))) * 0);
CREATE OR REPLACE MACRO spl_list_var(l) AS
  coalesce(list_var_samp(spl_numbers(flatten(l))), list_sum(spl_numbers(flatten(l))) * 0);
CREATE OR REPLACE MACRO spl_list_stdevp(l) AS list_stddev_pop(spl_numbers(flatten(l)));
CREATE OR REPLACE MACRO spl_list_varp(l) AS list_var_pop(spl_numbers(flatten(l)));
CREATE OR REPLACE MACRO spl_list_percentile(l, share) AS
  list_aggregate(spl_numbers(flatten(l)), 'quantile_disc', share);
CREATE OR REPLACE MACRO spl_list_median(l) AS
  -list_aggregate(list_transform(spl_numbers(flatten(l)), lambda x: -x), 'quantile_disc', 0.5);
CREATE OR REPLACE MACRO spl_list_upper_percentile(l, share) AS
  list_aggregate(spl_numbers(flatten(l)), 'quantile_disc', share);
CREATE OR REPLACE MACRO spl_list_mode(l) AS list_mode(flatten(l));

-- provenance: the events behind a row
-- Ids come once but for rows that were made of one event: a DISTINCT aggregate, which keeps all
-- groups a second time, takes twice as long.
CREATE OR REPLACE MACRO spl_collect_ids(i) AS
  list_sort(list_distinct(array_agg(i) FILTER (WHERE i IS NOT NULL)))[1:100];
CREATE OR REPLACE MACRO spl_collect_ids_lists(i) AS
  list_sort(list_distinct(flatten(array_agg(i) FILTER (WHERE i IS NOT NULL))))[1:100];
CREATE OR REPLACE MACRO spl_collect_files(f) AS list_sort(array_agg(DISTINCT f) FILTER (WHERE f IS NOT NULL));
CREATE OR REPLACE MACRO spl_collect_files_lists(f) AS
  list_sort(list_distinct(flatten(array_agg(f) FILTER (WHERE f IS NOT NULL))));

-- what commands need
CREATE OR REPLACE MACRO spl_map_concat(a, b) AS map_concat(a, b);
CREATE OR REPLACE MACRO spl_arrival(t, i) AS
  CAST(epoch_us(t) AS HUGEINT) * 9223372036854775807 + i;
