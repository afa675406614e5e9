# R survey on one wave: Rscript survey.R answers.csv items breakdowns repeats (lists joined by commas, crosses by *).
# Prints the version, the seconds of each repeat and the cells (item, breakdown, codes, p, se), tab-separated.
suppressPackageStartupMessages(library(survey))
given <- commandArgs(trailingOnly = TRUE)
answers <- read.csv(given[1])
items <- strsplit(given[2], ",")[[1]]
breakdowns <- strsplit(given[3], ",")[[1]]
design <- svydesign(ids = ~1, strata = ~stratum, weights = ~w, fpc = ~N, data = answers)
cat("version", paste0("R ", getRversion(), ", survey ", packageVersion("survey")), sep = "\t", fill = TRUE)
for (turn in seq_len(as.integer(given[4]))) {
  cells <- list()
  seconds <- system.time(for (item in items) for (by in breakdowns) {
    formula <- as.formula(paste0("~", item))
    if (by == "total") {
      made <- svymean(formula, design, na.rm = TRUE)
      found <- data.frame(code = "", p = as.numeric(coef(made)), se = as.numeric(SE(made)))
    } else {
      names <- strsplit(by, "*", fixed = TRUE)[[1]]
      made <- svyby(formula, as.formula(paste0("~", paste(names, collapse = "+"))), design, svymean, na.rm = TRUE)
      code <- do.call(paste, c(lapply(names, function(name) as.character(made[[name]])), sep = "*"))
      found <- data.frame(code = code, p = as.numeric(coef(made)), se = as.numeric(SE(made)))
    }
    cells[[length(cells) + 1]] <- cbind(item = item, by = by, found)
  })[["elapsed"]]
  cat("seconds", seconds, sep = "\t", fill = TRUE)
}
for (row in split(do.call(rbind, cells), seq_len(sum(sapply(cells, nrow)))))
  cat("cell", row$item, row$by, row$code, format(row$p, digits = 17), format(row$se, digits = 17), sep = "\t", fill = 1000)
