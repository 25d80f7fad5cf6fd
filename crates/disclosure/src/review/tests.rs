//! Whom the person may not learn of leaves by every way in which an answer could tell of them.

mod aggregates;
mod carriers;
mod facts;
mod names;
mod rows;
