//! The five questions that every call must answer with yes.

use serde::{Deserialize, Serialize};

/// Which of the five questions was answered no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    /// 1: may they use this operation?
    Operation,
    /// 2: may they act on each object that it names?
    Object,
    /// 3: may they learn each fact that it would reveal?
    Fact,
    /// 4: may they learn what follows from it?
    Inference,
    /// 5: may they see each object in the answer?
    Result,
}

impl Question {
    /// The question's number, 1 to 5.
    pub fn number(self) -> u8 {
        match self {
            Self::Operation => 1,
            Self::Object => 2,
            Self::Fact => 3,
            Self::Inference => 4,
            Self::Result => 5,
        }
    }

    /// The question in plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Operation => "may they use this operation?",
            Self::Object => "may they act on each object it names?",
            Self::Fact => "may they learn each fact it would reveal?",
            Self::Inference => "may they learn what follows?",
            Self::Result => "may they see each object in the answer?",
        }
    }
}
