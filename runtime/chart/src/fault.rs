//! What is wrong with a chart, its values or its templates, in helm's own words.

use std::fmt;

/// Why a chart cannot be read or rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// What helm says, place included where helm gives one.
    pub words: String,
    /// The chart in which it happened.
    pub chart: Option<String>,
    /// The template, by its path below the chart's name.
    pub template: Option<String>,
    /// The line in that template.
    pub line: Option<usize>,
    /// The value that was being looked at, such as `.Values.global.hub`.
    pub value: Option<String>,
    /// Whether it is this renderer that gave up: at a bound, or for a function that it does not have. Helm may do more.
    pub beyond: bool,
}

impl Fault {
    /// A fault of which only the words are known.
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }

    /// The same fault with its chart named.
    pub(crate) fn of(mut self, chart: &str) -> Self {
        self.chart.get_or_insert_with(|| chart.to_owned());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words.trim_end())
    }
}

impl std::error::Error for Fault {}
