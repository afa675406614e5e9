-- Purpose: the three questions that analysts ask of comparisons, as table macros over the published tables.

-- May these two waves be compared on an indicator, and what is the difference? In the order asked for:
-- the difference is wave_a less wave_b.
CREATE MACRO compare(indicator, wave_a, wave_b) AS TABLE
SELECT
  found.category,
  found.domain,
  found.domain_code,
  found.standard,
  found.scope,
  CASE WHEN asked THEN found.value_a ELSE found.value_b END AS value_a,
  CASE WHEN asked THEN found.value_b ELSE found.value_a END AS value_b,
  CASE WHEN asked THEN found.difference ELSE -found.difference END AS difference,
  found.se,
  CASE WHEN asked THEN found.ci_low ELSE -found.ci_high END AS ci_low,
  CASE WHEN asked THEN found.ci_high ELSE -found.ci_low END AS ci_high,
  found.p_value,
  found.p_adjusted,
  found.p_distribution,
  CASE WHEN asked THEN found.rank_a ELSE found.rank_b END AS rank_a,
  CASE WHEN asked THEN found.rank_b ELSE found.rank_a END AS rank_b,
  found.verdict,
  found.reasons
FROM (
  SELECT comparisons.*, comparisons.wave_a = wave_a AS asked
  FROM published.comparisons
  WHERE comparisons.indicator = indicator
    AND ((comparisons.wave_a = wave_a AND comparisons.wave_b = wave_b)
      OR (comparisons.wave_a = wave_b AND comparisons.wave_b = wave_a))
) AS found
ORDER BY ALL;

-- How has an indicator moved over the editions of a survey, for everyone? Each edition with the change since
-- the one before, whether that change may be read, and where the series is broken.
CREATE MACRO trend(indicator, survey) AS TABLE
WITH editions AS (
  SELECT
    estimates.wave, estimates.time_period, waves.status, estimates.category, estimates.value,
    estimates.ci_low, estimates.ci_high,
    lag(estimates.wave) OVER (
      PARTITION BY waves.status, estimates.category ORDER BY estimates.time_period, estimates.wave
    ) AS before
  FROM published.estimates
  JOIN published.waves USING (wave)
  WHERE estimates.indicator = indicator AND estimates.survey = survey AND coalesce(estimates.domain_code, '') = ''
)
SELECT
  editions.status,
  editions.category,
  editions.time_period,
  editions.wave,
  editions.value,
  editions.ci_low,
  editions.ci_high,
  made.difference AS change,
  made.p_adjusted,
  made.breaks,
  made.verdict,
  made.reasons,
  made.scope
FROM editions
LEFT JOIN published.comparisons AS made
  ON made.wave_a = editions.wave AND made.wave_b = editions.before AND made.indicator = indicator
  AND made.category = editions.category AND coalesce(made.domain_code, '') = '' AND coalesce(made.standard, '') = ''
ORDER BY ALL;

-- How do those like us do it? One cell of a breakdown on every indicator, beside the whole of its wave.
CREATE MACRO benchmark(wave, domain, code) AS TABLE
SELECT
  found.indicator,
  found.category,
  found.value,
  found.total,
  found.difference,
  found.ci_low,
  found.ci_high,
  found.p_adjusted,
  found.differs,
  found.rank,
  found.rank_low,
  found.rank_high,
  found.ranked,
  found.n
FROM published.benchmarks AS found
WHERE found.wave = wave AND found.domain = domain AND found.domain_code = code
ORDER BY ALL;
