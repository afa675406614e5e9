# What R's package `survey` says of the files of the walks: Rscript walks.R FOLDER [TARGET], FOLDER being what
# `python tests/evidence/walks/draw.py FOLDER` wrote. Designs in R's own words; shares are in percent.

suppressPackageStartupMessages(library(survey))
folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
arguments <- commandArgs(TRUE)
target <- if (length(arguments) > 1) arguments[2] else file.path(folder, "results.csv")
cells <- function(name) read.csv2(file.path(arguments[1], paste0(name, ".csv")), colClasses = "character")
results <- list()
keep <- function(wave, indicator, category, domain, code, n, value, se, df)
  results[[length(results) + 1]] <<- data.frame(wave, indicator, category, domain, domain_code = code, n, value, se, df)

# Shares and means of those who answered; the degrees of freedom are of those who were asked.
estimate <- function(wave, design, indicator, category, y, asked, scale, domain = "total", code = "", within = TRUE) {
  rows <- design$variables
  design <- update(design, y = as.numeric(y), answered = !is.na(y) & within, asked = asked & within)
  found <- svymean(~y, subset(design, answered))
  keep(wave, indicator, category, domain, code, sum(design$variables$answered), scale * as.numeric(coef(found)),
    scale * as.numeric(SE(found)), degf(subset(design, asked)))
}

teachers <- function(wave, pattern, ...) {
  d <- cells(wave)
  for (column in grep("^(TCHWGT|HOURS|W_REP[0-9]+|BRR[0-9]+)$", names(d), value = TRUE)) d[[column]] <- as.numeric(d[[column]])
  d$HOURS[d$HOURS >= 997] <- NA
  answer <- function(column, code, missing = "9") ifelse(d[[column]] %in% missing, NA, d[[column]] == code)
  design <- svrepdesign(data = d, weights = ~TCHWGT, repweights = as.matrix(d[grep(pattern, names(d))]), mse = TRUE, ...)
  everybody <- rep(TRUE, nrow(d))
  estimate(wave, design, "hours", "mean", d$HOURS, everybody, 1)
  estimate(wave, design, "hours", "mean", d$HOURS, everybody, 1, "stratum_group", "public", d$STRATUM == "1")
  estimate(wave, design, "pd", "yes", answer("PD", "1"), everybody, 100)
  estimate(wave, design, "pd", "yes", answer("PD", "1"), everybody, 100, "sex", "female", d$SEX == "1")
  estimate(wave, design, "pdt", "courses", answer("PDTA", "1", c("6", "9")), d$PD == "1", 100)
  estimate(wave, design, "pdt", "conferences", answer("PDTB", "1", c("6", "9")), d$PD == "1", 100)
  estimate(wave, design, "agr", "i_enjoy_my_work", answer("AGRA", "1"), everybody, 100)
}
for (wave in c("teachers-2021", "teachers-2025")) teachers(wave, "^W_REP", type = "Fay", rho = 0.5, combined.weights = TRUE)
teachers("balanced-2022", "^BRR", type = "BRR", combined.weights = TRUE)
teachers("factors-2023", "^W_REP", type = "Fay", rho = 0.5, combined.weights = FALSE)

# A census: all of N units, so that the finite population correction leaves no error.
for (year in c(2023, 2024)) {
  wave <- paste0("local-units-", year)
  d <- cells(wave)
  number <- function(column) as.numeric(gsub(",", "", d[[column]]))
  answer <- function(column, code) ifelse(d[[column]] == "", NA, d[[column]] == code)
  d$N <- nrow(d)
  design <- svydesign(~1, data = d, fpc = ~N)
  everybody <- rep(TRUE, nrow(d))
  exports <- intersect(c("export", "exporting"), names(d))
  estimate(wave, design, "employees", "mean", number("employees"), everybody, 1)
  estimate(wave, design, "turnover", "mean", number("turnover"), everybody, 1)
  estimate(wave, design, "turnover", "mean", number("turnover"), everybody, 1, "region", "02", d$region == "02")
  estimate(wave, design, "export", "j", answer(exports, "J"), everybody, 100)
  estimate(wave, design, "export", "j", answer(exports, "J"), everybody, 100, "nace", "05", d$nace == "05")
  estimate(wave, design, "rd_reported", "y", answer("rd_reported", "Y"), d$size_class != "0-9", 100)
}

results <- do.call(rbind, results)
for (column in c("value", "se")) results[[column]] <- sprintf("%.17g", results[[column]])
write.csv(results, target, row.names = FALSE, quote = FALSE, eol = "\n")
