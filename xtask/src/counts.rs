//! How many tests passed and failed, read from the closing lines of the runners.

/// The numbers of all runs so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    /// Adds what `line` says, if it is a closing line.
    pub(crate) fn read(&mut self, line: &str) {
        let is_closing =
            line.trim_start().starts_with("Summary [") || line.starts_with("test result:");
        if !is_closing {
            return;
        }
        let words: Vec<&str> =
            line.split([' ', ',', ';', '(', ')']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let [number, what] = pair else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            match *what {
                "passed" => self.passed += number,
                "failed" | "timed" | "exec" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn both_runners_are_understood() {
        let mut counts = Counts::default();
        counts.read("     Summary [   0.134s] 36 tests run: 34 passed (1 slow), 1 failed, 1 timed out, 3 skipped");
        counts.read("test result: FAILED. 5 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        counts.read("        PASS [   0.005s] kenward-model tests::test result: 9 passed");
        assert_eq!(counts, Counts { passed: 39, failed: 3, skipped: 2 });
    }
}
