# What R's package `survey` says of the samples in this folder: `make evidence` writes results/ again.
#
# Designs are declared here in R's own words and in tests/evidence/barometers.py in the product's: neither reads
# the other. Shares are in percent. Where the product has a convention of its own (docs/golden.md), the same
# is asked of R, and the line says so.

suppressPackageStartupMessages(library(survey))
folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
target <- if (length(commandArgs(TRUE))) commandArgs(TRUE)[1] else file.path(folder, "results")
dir.create(target, showWarnings = FALSE)

sample_of <- function(name) {
  rows <- read.csv(file.path(folder, "samples", paste0(name, ".csv")), colClasses = "character")
  for (column in grep("^(weight|probability|turnover|households|module|staff|(jk|jkn|brr|fay|boot)_[0-9]+)$", names(rows), value = TRUE))
    rows[[column]] <- as.numeric(rows[[column]])
  rows$climate <- as.numeric(ifelse(rows$climate %in% c("", "9"), NA, rows$climate))
  for (item in c("product", "service"))
    rows[[paste0(item, "_score")]] <- ifelse(rows[[item]] == "yes", 3, ifelse(rows[[item]] == "no", -1, NA))
  rows$innovates <- rows$product == "yes" | rows$service == "yes"
  rows
}
simple <- sample_of("simple")
stratified <- sample_of("stratified")
later <- sample_of("stratified_later")
clustered <- sample_of("clustered")
paired <- sample_of("paired")

# Population counts of strata, as a column of the sample.
frame <- read.csv(file.path(folder, "samples/stratified_population.csv"))
with_frame <- function(rows) {
  rows$cell <- paste(rows$sector, rows$size)
  rows$N <- frame$population[match(rows$cell, paste(frame$sector, frame$size))]
  rows$drawn <- ave(rows$N, rows$cell, FUN = length)
  rows$start <- rows$N / rows$drawn
  rows
}
stratified <- with_frame(stratified)
later <- with_frame(later)
municipalities <- read.csv(file.path(folder, "samples/clustered_population.csv"))
clustered$N <- municipalities$population[match(clustered$stratum, municipalities$stratum)]
simple$N <- 2000

# The weight of a module that was put to a part of the sample: the others count 0 and stay in the design. Ours: the
# part of a stratum's population is who has the weight, or the municipalities with any such.
in_module <- function(rows) {
  rows$module[is.na(rows$module)] <- 0
  rows
}
module <- in_module(with_frame(sample_of("stratified_module")))
module$part <- ave(as.numeric(module$module > 0), module$cell, FUN = sum) / module$N
towns <- in_module(sample_of("clustered_module"))
having <- unique(towns[towns$module > 0, c("stratum", "psu")])
towns$part <- as.numeric(table(having$stratum)[towns$stratum]) / municipalities$population[match(towns$stratum, municipalities$stratum)]
stopifnot(any(table(having$stratum) < table(unique(towns[c("stratum", "psu")])$stratum)), any(module$module == 0 & module$N == module$drawn))

# Totals of margins as calibrate() wants them: of the columns of the model matrix.
total_of <- function(margin, file = "totals") {
  rows <- read.csv(file.path(folder, "samples", paste0(file, ".csv")))
  rows <- rows[rows$margin == margin, ]
  setNames(rows$total, rows$code)
}
model_totals <- function(formula, counts, rows) {
  # `counts`: totals by margin; each column is a code of one margin, and the first column is everybody.
  columns <- colnames(model.matrix(formula, rows))
  found <- sapply(columns, function(column) {
    if (column == "(Intercept)") return(sum(counts[[1]]))
    for (margin in names(counts)) for (place in seq_along(counts[[margin]]))  # of a number the code is blank
      if (column == paste0(margin, names(counts[[margin]])[place])) return(counts[[margin]][[place]])
    stop(column)
  })
  setNames(as.numeric(found), columns)
}
stratified$crossed <- paste(stratified$sector, stratified$size, sep = "*")
stratified$joint <- paste(stratified$sector, stratified$region, sep = "*")
main_margins <- list(sector = total_of("sector"), region = total_of("region"))
summed <- function(file) list(sector = total_of("sector", file), turnover = total_of("turnover", file))
regressed <- function(calfun, ...) calibrated(drawn$delivered, ~sector + turnover, summed("regressed_totals"), calfun = calfun, ...)
crossed_margins <- list(crossed = total_of("sector*size", "crossed_totals"), region = total_of("region"))
poststrata <- function(margin, name, file) {
  counts <- total_of(margin, file)
  setNames(data.frame(names(counts), as.numeric(counts)), c(name, "Freq"))
}

drawn <- list(
  simple = svydesign(~1, data = simple, fpc = ~N, weights = ~I(2000 / 240 + 0 * N)),
  weighted = svydesign(~1, data = simple, weights = ~weight),
  scaled = svydesign(~1, data = simple, weights = ~I(weight * 2000 / sum(weight))),
  unweighted = svydesign(~1, data = simple, weights = ~I(1 + 0 * weight)),
  probability = svydesign(~1, data = simple, probs = ~probability),
  census = svydesign(~1, strata = ~cell, data = stratified, fpc = ~drawn, weights = ~I(1 + 0 * N)),
  strata = svydesign(~1, strata = ~cell, data = stratified, fpc = ~N, weights = ~start),
  later = svydesign(~1, strata = ~cell, data = later, fpc = ~N, weights = ~start),
  delivered = svydesign(~1, strata = ~cell, data = stratified, fpc = ~N, weights = ~weight),
  delivered_no_fpc = svydesign(~1, strata = ~cell, data = stratified, weights = ~weight),
  clusters = svydesign(~psu, strata = ~stratum, nest = TRUE, data = clustered, fpc = ~N, weights = ~weight),
  clusters_no_fpc = svydesign(~psu, strata = ~stratum, nest = TRUE, data = clustered, weights = ~weight)
)
lonely <- svydesign(~psu, strata = ~lonely, nest = TRUE, data = clustered, weights = ~weight)
second <- list(
  strata = svydesign(~1, strata = ~cell, data = module, fpc = ~part, weights = ~module),
  households = svydesign(~1, strata = ~cell, data = stratified, fpc = ~N, weights = ~households),
  clusters = svydesign(~psu, strata = ~stratum, nest = TRUE, data = towns, fpc = ~part, weights = ~module),
  lonely = svydesign(~psu, strata = ~lonely, nest = TRUE, data = towns, weights = ~module)
)

calibrated <- function(design, formula, counts, ...)
  calibrate(design, formula, model_totals(formula, counts, design$variables), epsilon = 1e-12, maxit = 200, ...)
# Ours: cut at the limits, which are multiples of the mean weight, and calibrate the cut weights again until limits and
# margins both hold. The last of these calibrations is the design: its residuals are of the cut weights.
trimmed <- function(rows, least, most, formula, counts, ...) {
  mean <- sum(counts[[1]]) / nrow(rows)
  repeat {
    design <- calibrated(svydesign(~1, strata = ~cell, data = rows, fpc = ~N, weights = ~weight), formula, counts, ...)
    made <- weights(design, "sampling")
    if (all(made >= least * mean * (1 - 1e-9) & made <= most * mean * (1 + 1e-9))) return(design)
    rows$weight <- pmin(pmax(made, least * mean), most * mean)
  }
}
replicate <- function(prefix, type, data = paired, ...)
  svrepdesign(data = data, weights = ~weight, repweights = paste0("^", prefix, "_[0-9]+$"), type = type,
              combined.weights = TRUE, mse = TRUE, ...)

lonely_raked <- calibrated(lonely, ~sector + region, main_margins, calfun = "raking")

# design, the interval of a share, what becomes of a stratum with a single sampling unit
designs <- list(
  simple_fpc = list(drawn$simple, "xlogit", "certainty"),
  simple_wald = list(drawn$simple, "mean", "adjust"),
  simple_beta = list(drawn$simple, "beta", "average"),
  simple_weighted = list(drawn$weighted, "xlogit", "certainty"),
  simple_poststratified = list(
    postStratify(drawn$simple, ~sector, poststrata("sector", "sector", "simple_totals")),
    "xlogit", "certainty"),
  strata_fpc = list(drawn$strata, "xlogit", "certainty"),
  strata_later = list(drawn$later, "xlogit", "certainty"),
  strata_no_fpc = list(drawn$delivered_no_fpc, "xlogit", "certainty"),
  strata_delivered = list(drawn$delivered, "beta", "average"),
  strata_raked = list(calibrated(drawn$delivered, ~sector + region, main_margins, calfun = "raking"), "xlogit", "certainty"),
  strata_linear = list(calibrated(drawn$delivered, ~crossed + region, crossed_margins, calfun = "linear"), "beta", "average"),
  strata_bounded = list(calibrated(drawn$strata, ~crossed + region, crossed_margins, calfun = "linear", bounds = c(0.953, 1.07)), "xlogit", "certainty"),
  strata_logit = list(calibrated(drawn$delivered, ~sector + region, main_margins, calfun = "logit", bounds = c(0.6, 1.6)), "mean", "adjust"),
  strata_poststratified = list(postStratify(drawn$delivered_no_fpc, ~joint, poststrata("sector*region", "joint", "joint_totals")), "xlogit", "certainty"),
  simple_scaled = list(drawn$scaled, "xlogit", "certainty"),
  simple_unweighted = list(drawn$unweighted, "xlogit", "certainty"),
  simple_probability = list(drawn$probability, "mean", "adjust"),
  strata_census = list(drawn$census, "xlogit", "certainty"),
  strata_regressed = list(regressed("linear"), "xlogit", "certainty"),
  strata_regressed_raked = list(regressed("raking"), "mean", "adjust"),
  strata_regressed_logit = list(regressed("logit", bounds = c(0.6, 1.6)), "beta", "average"),
  clusters_regressed = list(calibrated(drawn$clusters, ~sector + turnover, summed("towns_totals"), calfun = "raking"), "xlogit", "certainty"),
  clusters_fpc = list(drawn$clusters, "xlogit", "certainty"),
  clusters_wald = list(drawn$clusters_no_fpc, "mean", "adjust"),
  clusters_raked = list(calibrated(drawn$clusters, ~sector + region, main_margins, calfun = "raking"), "xlogit", "certainty"),
  lonely_certainty = list(lonely, "xlogit", "certainty"),
  lonely_adjust = list(lonely, "mean", "adjust"),
  lonely_average = list(lonely, "beta", "average"),
  strata_trimmed = list(trimmed(stratified, 0.2, 1.7, ~sector + region, main_margins, calfun = "raking"), "xlogit", "certainty"),
  lonely_raked_certainty = list(lonely_raked, "xlogit", "certainty"),
  lonely_raked_adjust = list(lonely_raked, "mean", "adjust"),
  lonely_raked_average = list(lonely_raked, "beta", "average"),
  second_strata = list(second$strata, "xlogit", "certainty"),
  second_households = list(second$households, "beta", "average"),
  second_clusters = list(second$clusters, "xlogit", "certainty"),
  second_lonely = list(second$lonely, "beta", "average"),
  replicates_jk1 = list(replicate("jk", "JK1", simple, scale = 11 / 12, rscales = rep(1, 12)), "xlogit", "certainty"),
  replicates_brr = list(replicate("brr", "BRR"), "xlogit", "certainty"),
  replicates_fay = list(replicate("fay", "Fay", rho = 0.3), "mean", "adjust"),
  replicates_jkn = list(replicate("jkn", "JKn", scale = 1, rscales = rep(c(0.5, 0.45, 0.4, 0.5, 0.48, 0.35, 0.5), each = 2)), "xlogit", "certainty"),
  replicates_bootstrap = list(replicate("boot", "bootstrap", scale = 1 / 19, rscales = rep(1, 20)), "beta", "average"),
  replicates_scaled = list(replicate("boot", "bootstrap", scale = 0.04, rscales = rep(1, 20)), "xlogit", "certainty")
)

# Every estimate: who is asked, who of them counts, and what is counted of them.
estimands <- function(rows) {
  everybody <- rep(TRUE, nrow(rows))
  answered <- rows$product != "" | rows$service != ""
  novelty <- rows$innovates & rows$novelty != ""
  said <- rows$novelty %in% c("first", "copied")
  share <- function(indicator, category, asked, counts, y)
    list(indicator = indicator, category = category, unit = "share", asked = asked, counts = counts, y = as.numeric(y))
  made <- list(
    share("any_innovation", "yes", everybody, answered, rows$innovates),
    share("introduced", "product", everybody, rows$product != "", rows$product == "yes"),
    share("introduced", "service", everybody, rows$service != "", rows$service == "yes"),
    share("value", "quality", rows$innovates, rows$innovates, rows$quality == "1"),
    share("value", "savings", rows$innovates, rows$innovates, rows$savings == "1")
  )
  for (category in c("first", "copied", "dk"))
    made <- c(made, list(share("novelty", category, rows$innovates, novelty, rows$novelty == category)))
  for (category in c("first", "copied"))
    made <- c(made, list(share("novelty_said", category, rows$innovates, rows$innovates & said, rows$novelty == category)))
  for (question in c("rare", "never", "always"))
    made <- c(made, list(share(question, "yes", everybody, everybody, rows[[question]] == "yes")))
  for (mean in c("staff", "climate"))
    made <- c(made, list(modifyList(share(paste0(mean, "_mean"), "mean", everybody, !is.na(rows[[mean]]), ifelse(is.na(rows[[mean]]), 0, rows[[mean]])), list(unit = "mean"))))
  # Only where somebody answered can a condition hold; none of the conditions may hold of a number that is there.
  staff <- !is.na(rows$staff)
  sizeable <- staff & rows$staff > 20
  made <- c(made, list(
    share("many_staff", "yes", everybody, staff, staff & (rows$staff >= 30 | rows$staff < 5)),
    share("few_staff", "yes", everybody, staff, staff & !(rows$staff > 15 | rows$staff <= 3.5)),
    share("sizeable_innovation", "yes", sizeable, sizeable & answered, rows$innovates)
  ))
  for (item in c("product", "service")) {
    score <- rows[[paste0(item, "_score")]]
    scored <- modifyList(share("scored", item, everybody, !is.na(score), ifelse(is.na(score), 0, score)), list(unit = "mean"))
    made <- c(made, list(scored))
    if (item == "product") made <- c(made, list(modifyList(scored, list(indicator = "product_score", category = "mean"))))
  }
  total <- function(of, indicator) modifyList(of, list(indicator = indicator, unit = "total"))
  c(made, list(total(made[[1]], "innovative_workplaces"), total(made[[6]], "newest")))
}
EVERYWHERE <- c("many_staff", "sizeable_innovation", "product_score", "any_innovation", "novelty", "novelty_said", "rare", "staff_mean", "climate_mean", "innovative_workplaces")
domains <- list(total = "", sector = c("admin", "care", "school"), region = c("north", "south", "west"), island = c("far", "main", "quiet", "nobody"))
within <- function(rows, domain, code) if (domain == "total") rep(TRUE, nrow(rows)) else rows[[domain]] == code

with_answers <- function(design, one) update(design, .y = one$y)
degrees <- function(design, kept) if (any(kept)) degf(subset(design, kept)) else NA
is_replicate <- function(design) inherits(design, "svyrep.design")

interval <- function(m, p, v, part, n, df, method) {
  half <- qt(0.975, df)
  if (p == 0 || p == 1) {  # Clopper and Pearson's on the effective n of Kish: ours, R has none
    w <- weights(part, "sampling")
    w <- w[w > 0]
    k <- sum(w)^2 / sum(w^2)
    return(c(if (p == 0) 0 else qbeta(0.025, k * p, k * (1 - p) + 1), if (p == 1) 1 else qbeta(0.975, k * p + 1, k * (1 - p))))
  }
  if (method == "beta") {  # as svyciprop, with the n of those who count and the df of those asked
    if (v == 0 && df > 0) return(c(p, p))
    k <- p * (1 - p) / v * (qt(0.025, n - 1) / half)^2
    made <- c(qbeta(0.025, k * p, k * (1 - p) + 1), qbeta(0.975, k * p + 1, k * (1 - p)))
    if (is.finite(k) && nrow(part) == n && isTRUE(degf(part) == df)) {  # where the conventions are the same
      stopifnot(isTRUE(all.equal(made, as.numeric(attr(svyciprop(~.y, part, method = "beta"), "ci")), tolerance = 1e-12)))
      same_as_r <<- same_as_r + 1
    }
    return(made)
  }
  found <- as.numeric(attr(suppressWarnings(svyciprop(~.y, part, method = method, df = df)), "ci"))
  if (method == "mean") pmin(pmax(found, 0), 1) else found
}
same_as_r <- 0

cell <- function(name, design, method, one, domain, code) {
  rows <- design$variables
  inside <- within(rows, domain, code)
  counts <- one$counts & inside & weights(design, "sampling") > 0
  out <- data.frame(design = name, indicator = one$indicator, category = one$category, domain = domain, domain_code = code,
                    n = sum(counts), value = NA, se = NA, df = NA, deff = NA, ci_low = NA, ci_high = NA)
  if (!any(counts)) return(out)
  part <- subset(with_answers(design, one), counts)
  df <- degrees(design, one$asked & inside)
  # R takes the degrees of freedom of replicates from those who count: so do we.
  if (is_replicate(design)) df <- degrees(design, counts)
  m <- suppressWarnings(if (one$unit == "total") svytotal(~.y, part, deff = "replace") else svymean(~.y, part, deff = "replace"))
  value <- as.numeric(coef(m)); v <- as.numeric(vcov(m))
  if (v < 1e-24) v <- 0  # what rounding leaves where all terms cancel
  everyone <- one$unit != "total" && all(one$y[counts] == one$y[counts][1])
  if (everyone) { value <- one$y[counts][1]; v <- 0 }  # of equal numbers exactly theirs: a quotient of equal sums may miss it by a bit
  out$value <- value; out$se <- sqrt(v); out$df <- df
  d <- if (sum(counts) > 1 && !everyone) suppressWarnings(as.numeric(deff(m))) else NA
  out$deff <- if (length(d) && is.finite(d)) d else NA
  t <- suppressWarnings(qt(0.975, df))
  ci <- if (one$unit == "share") suppressWarnings(interval(m, value, v, part, sum(counts), df, method)) else value + c(-t, t) * sqrt(v)
  if (name == "strata_census") ci <- c(value, value)  # ours: nothing is left to chance; R asks for degrees of freedom
  out$ci_low <- ci[1]; out$ci_high <- ci[2]
  if (one$unit == "share") out[c("value", "se", "ci_low", "ci_high")] <- 100 * out[c("value", "se", "ci_low", "ci_high")]
  out
}

estimates <- list()
for (name in names(designs)) {
  design <- designs[[name]][[1]]
  options(survey.lonely.psu = designs[[name]][[3]])
  for (one in estimands(design$variables)) for (domain in names(domains)) for (code in domains[[domain]])
    if (domain == "total" || one$indicator %in% EVERYWHERE)
      estimates[[length(estimates) + 1]] <- cell(name, design, designs[[name]][[2]], one, domain, code)
}
estimates <- do.call(rbind, estimates)
stopifnot(same_as_r > 50)

# Calibrated weights, unit by unit.
weighed <- c("simple_poststratified", "strata_raked", "strata_linear", "strata_bounded", "strata_logit", "strata_poststratified", "clusters_raked", "strata_trimmed", "lonely_raked_certainty", "strata_regressed", "strata_regressed_raked", "strata_regressed_logit", "clusters_regressed")
weighed <- do.call(rbind, lapply(weighed, function(name) {
  design <- designs[[name]][[1]]
  data.frame(design = name, id = design$variables$id, weight = as.numeric(weights(design, "sampling")))
}))

# Differences within a wave: of two domains, apart or not. By the delta method on the four sums, or by the replicates.
difference <- function(design, one, a, b) {
  scale <- if (one$unit == "share") 100 else 1
  rows <- design$variables
  u <- as.numeric(one$counts & within(rows, a[1], a[2]))
  v <- as.numeric(one$counts & within(rows, b[1], b[2]))
  if (!any(u > 0) || !any(v > 0)) return(c(NA, NA))
  design <- update(design, .a = u * one$y, .b = u, .c = v * one$y, .d = v)
  # Ours: a replicate that leaves nobody in a domain adds nothing for that domain; R leaves the replicate out.
  ratio <- function(w, y, counts) if (sum(w * counts) > 0) sum(w * y) / sum(w * counts) else sum(w0 * y) / sum(w0 * counts)
  w0 <- weights(design, "sampling")
  made <- if (is_replicate(design))
    withReplicates(design, function(w, rows) ratio(w, rows$.a, rows$.b) - ratio(w, rows$.c, rows$.d))
  else
    svycontrast(svytotal(~.a + .b + .c + .d, design), quote(.a / .b - .c / .d))
  c(as.numeric(coef(made)), sqrt(max(0, as.numeric(vcov(made))))) * scale
}
t_test <- function(d, df) {
  known <- is.finite(d[2]) && d[2] > 1e-10 && isTRUE(df > 0)
  if (!known) return(c(NA, NA, NA))
  c(d[1] + c(-1, 1) * qt(0.975, df) * d[2], 2 * pt(-abs(d[1] / d[2]), df))
}
# Ours: a share that rests on fewer than five answers, or leaves fewer out, is compared without a test.
few <- function(share, n) min(share, 100 - share) / 100 * n < 4.5

COMPARED <- c("strata_fpc", "strata_later", "clusters_raked", "replicates_jkn")
at <- function(design, indicator, category, domain, code)
  estimates[estimates$design == design & estimates$indicator == indicator & estimates$category == category & estimates$domain == domain & estimates$domain_code == code, ]
pairs <- list(list(c("sector", "care"), c("sector", "school")), list(c("sector", "care"), c("region", "north")), list(c("sector", "admin"), c("total", "")), list(c("island", "far"), c("island", "main")))
differences <- list(); benchmarks <- list()
DIFFERED <- c(COMPARED, "strata_raked", "strata_regressed", "clusters_regressed", "strata_trimmed", "lonely_raked_certainty", "lonely_raked_adjust", "lonely_raked_average", "second_strata", "second_clusters")
for (name in DIFFERED) {
  design <- designs[[name]][[1]]
  options(survey.lonely.psu = designs[[name]][[3]])
  for (one in estimands(design$variables)) {
    if (!(one$indicator %in% setdiff(EVERYWHERE, "innovative_workplaces"))) next
    for (pair in pairs) {
      d <- difference(design, one, pair[[1]], pair[[2]])
      differences[[length(differences) + 1]] <- data.frame(design = name, indicator = one$indicator, category = one$category,
        domain_a = pair[[1]][1], code_a = pair[[1]][2], domain_b = pair[[2]][1], code_b = pair[[2]][2], difference = d[1], se = d[2])
    }
    if (!(name %in% COMPARED)) next
    whole <- at(name, one$indicator, one$category, "total", "")
    for (domain in c("sector", "region", "island")) for (code in domains[[domain]]) {
      here <- at(name, one$indicator, one$category, domain, code)
      if (here$n == 0) next
      d <- difference(design, one, c(domain, code), c("total", ""))
      test <- t_test(d, whole$df)
      if (one$unit == "share" && few(here$value, here$n)) test <- c(NA, NA, NA)
      benchmarks[[length(benchmarks) + 1]] <- data.frame(wave = name, indicator = one$indicator, category = one$category, domain = domain, domain_code = code,
        difference = d[1], se = d[2], ci_low = test[1], ci_high = test[2], p_value = test[3])
    }
  }
}
differences <- do.call(rbind, differences)
benchmarks <- do.call(rbind, benchmarks)
benchmarks$p_adjusted <- ave(benchmarks$p_value, benchmarks$wave, benchmarks$indicator, FUN = function(p) p.adjust(p, "BH"))

# Differences between waves: independent samples, whose degrees of freedom add; the later wave less the earlier.
LATER <- c("strata_fpc", "clusters_raked", "replicates_jkn", "strata_later")  # by reference period
comparisons <- list()
for (i in seq_along(LATER)) for (j in seq_len(i - 1)) {
  a <- estimates[estimates$design == LATER[i] & estimates$indicator %in% EVERYWHERE, ]
  b <- estimates[estimates$design == LATER[j], ]
  both <- merge(a, b, by = c("indicator", "category", "domain", "domain_code"), suffixes = c("_a", "_b"))
  for (row in seq_len(nrow(both))) {
    of <- both[row, ]
    if (of$n_a == 0 || of$n_b == 0) next
    d <- c(of$value_a - of$value_b, sqrt(of$se_a^2 + of$se_b^2))
    test <- t_test(d, of$df_a + of$df_b)
    if (!(of$indicator %in% c("staff_mean", "climate_mean", "product_score", "innovative_workplaces")) && (few(of$value_a, of$n_a) || few(of$value_b, of$n_b))) test <- c(NA, NA, NA)
    if (!(is.finite(d[2]) && d[2] > 1e-10 && isTRUE(of$df_a + of$df_b > 0))) d[2] <- NA  # no error, no test
    comparisons[[length(comparisons) + 1]] <- data.frame(wave_a = LATER[i], wave_b = LATER[j], indicator = of$indicator, category = of$category,
      domain = of$domain, domain_code = of$domain_code, difference = d[1], se = d[2], ci_low = test[1], ci_high = test[2], p_value = test[3])
  }
}
comparisons <- do.call(rbind, comparisons)
comparisons$p_adjusted <- ave(comparisons$p_value, comparisons$indicator, FUN = function(p) p.adjust(p, "BH"))

# Rao and Scott's test: of a breakdown within a wave, and of two waves, as the table of their stacked samples.
tests <- list()
# Ours: the degrees of freedom of those asked; svychisq takes those who answered.
tested <- function(name, against, formula, design) {
  made <- svychisq(formula, subset(design, novelty != ""), statistic = "F")
  f <- as.numeric(made$statistic); ndf <- as.numeric(made$parameter[1]); ddf <- ndf * degf(design)
  stopifnot(all.equal(as.numeric(made$p.value), pf(f, ndf, as.numeric(made$parameter[2]), lower.tail = FALSE)))
  data.frame(design = name, against = against, f = f, ndf = ndf, ddf = ddf, p_value = pf(f, ndf, ddf, lower.tail = FALSE))
}
for (name in c("strata_fpc", "strata_no_fpc", "clusters_fpc")) for (by in c("sector", "region")) {
  design <- subset(designs[[name]][[1]], innovates)
  tests[[length(tests) + 1]] <- tested(name, by, as.formula(paste("~novelty +", by)), design)
}
# Waves are pooled by their number of answers: that is what their weights are scaled to.
stacked <- function(rows, wave) {
  counts <- rows$innovates & rows$novelty != ""
  rows$pooled <- rows$start * sum(counts) / sum(rows$start[counts])
  cbind(wave = wave, rows[c("cell", "N", "pooled", "novelty", "innovates")])
}
both <- rbind(stacked(stratified, "strata_fpc"), stacked(later, "strata_later"))
both$stratum <- paste(both$wave, both$cell)
design <- subset(svydesign(~1, strata = ~stratum, data = both, fpc = ~N, weights = ~pooled), innovates)
tests[[length(tests) + 1]] <- tested("strata_fpc", "strata_later", ~novelty + wave, design)
tests <- do.call(rbind, tests)

save_as <- function(table, name) {
  for (column in names(table)) if (is.numeric(table[[column]])) {
    number <- table[[column]]
    table[[column]] <- ifelse(is.finite(number), sprintf("%.17g", number), "")
  }
  write.csv(table, file.path(target, paste0(name, ".csv")), row.names = FALSE, quote = FALSE, eol = "\n", na = "")
}
save_as(estimates, "estimates")
save_as(weighed, "weights")
save_as(differences, "differences")
save_as(benchmarks, "benchmarks")
save_as(comparisons, "comparisons")
save_as(tests, "tests")

# What these results are of: the versions, and the digests of this script and of every sample.
files <- c("evidence.R", paste0("samples/", sort(list.files(file.path(folder, "samples")), method = "radix")))
made <- data.frame(what = c("R", "survey", files),
  value = c(paste(R.version$major, R.version$minor, sep = "."), as.character(packageVersion("survey")), as.character(tools::md5sum(file.path(folder, files)))))
write.csv(made, file.path(target, "made_from.csv"), row.names = FALSE, quote = FALSE, eol = "\n")
