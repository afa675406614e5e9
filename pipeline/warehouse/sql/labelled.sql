-- Purpose: the published estimates with every key spelled out, so that a reader needs no joins.
CREATE VIEW labelled AS
SELECT
  estimates.*,
  waves.status,
  indicators.label AS indicator_label,
  categories.label AS category_label,
  domains.domain_label,
  domains.label AS domain_code_label
FROM published.estimates
JOIN published.waves USING (wave)
JOIN published.indicators USING (indicator)
JOIN published.categories USING (indicator, category)
JOIN published.domains USING (domain, domain_code);
COMMENT ON VIEW labelled IS 'Published estimates with the label of every key.';
COMMENT ON COLUMN labelled.status IS 'Status: whether the wave is a real survey or generated data.';
COMMENT ON COLUMN labelled.indicator_label IS 'Name of the indicator.';
COMMENT ON COLUMN labelled.category_label IS 'Name of the category.';
COMMENT ON COLUMN labelled.domain_label IS 'Name of the breakdown.';
COMMENT ON COLUMN labelled.domain_code_label IS 'Name of the cell of the breakdown.';
