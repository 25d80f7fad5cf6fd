//! What a binding says of results.

use std::sync::Arc;

use kenward_model::Precision;

use super::Compiler;
use super::arguments::Arguments;
use crate::families::escape;
use crate::filter::{
    AggregateRule, LinkRule, OracleRule, ResultRules, RowAttribute as RowField, RowRule, ToldRule,
};
use crate::path::ResultPath;
use crate::spec::{Aggregate, Link, Oracle, RowAttribute, RowBinding};

/// What a row reveals that has no attributes.
const ROW_ITSELF: &str = "id";

impl Compiler<'_> {
    pub(super) fn results(&mut self, arguments: &Arguments) -> ResultRules {
        let spec = self.given.spec;
        let mut rules = ResultRules::default();
        for (index, disclosure) in spec.discloses.iter().enumerate() {
            let Some(path) = &disclosure.in_result else { continue };
            let pointer = format!("/discloses/{index}");
            let path = self.content_path(&format!("{pointer}/in_result"), path);
            let of = Arc::from(disclosure.of.as_str());
            let (attribute, precision) = (&disclosure.attribute, disclosure.precision.as_deref());
            let fact = self.fact(&pointer, &of, attribute, precision);
            rules.told.extend(path.zip(fact).map(|(path, fact)| ToldRule { path, fact }));
        }
        for (index, row) in spec.results.iter().enumerate() {
            rules.rows.extend(self.row(&format!("/results/{index}"), row));
        }
        for (index, path) in spec.strip.iter().enumerate() {
            rules.strip.extend(self.content_path(&format!("/strip/{index}"), path));
        }
        for (index, link) in spec.links.iter().enumerate() {
            rules.links.extend(self.link(&format!("/links/{index}"), link));
        }
        rules.oracle = spec.oracle.as_ref().and_then(|oracle| self.oracle(oracle, arguments));
        let aggregate = spec.aggregate.as_ref();
        rules.aggregate = aggregate.and_then(|aggregate| self.aggregate(aggregate, arguments));
        rules
    }

    fn row(&mut self, pointer: &str, row: &RowBinding) -> Option<RowRule> {
        self.check_type(&format!("{pointer}/of"), &row.of);
        let each = self.content_path(&format!("{pointer}/each"), &row.each);
        let id = self.row_path(&format!("{pointer}/id"), &row.id);
        let mut fields = Vec::new();
        for (name, attribute) in &row.attributes {
            let pointer = format!("{pointer}/attributes/{}", escape(name));
            fields.push(self.field(&pointer, name, attribute));
        }
        if fields.is_empty() {
            fields.push(self.row_field(ROW_ITSELF, None, Precision::EXACT));
        }
        let attributes = fields.into_iter().collect::<Option<Vec<_>>>();
        Some(RowRule { each: each?, of: row.of.as_str().into(), id: id?, attributes: attributes? })
    }

    fn field(&mut self, pointer: &str, name: &str, attribute: &RowAttribute) -> Option<RowField> {
        match attribute {
            RowAttribute::Path(path) => {
                let path = self.row_path(pointer, path);
                self.row_field(name, Some(path?), Precision::EXACT)
            }
            RowAttribute::Precise(precise) => {
                let path = self.row_path(&format!("{pointer}/path"), &precise.path);
                let wanted = Some(precise.precision.as_str());
                let precision = self.precision(&format!("{pointer}/precision"), name, wanted);
                self.row_field(name, Some(path?), precision?)
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "fields that are flawed are nothing")]
    fn row_field(
        &self,
        name: &str,
        path: Option<ResultPath>,
        precision: Precision,
    ) -> Option<RowField> {
        let family = self.given.families.family_of(name);
        Some(RowField { attribute: name.into(), family, precision, path })
    }

    fn link(&mut self, pointer: &str, link: &Link) -> Option<LinkRule> {
        let handle = self.content_path(&format!("{pointer}/handle"), &link.handle);
        let owner = self.content_path(&format!("{pointer}/owner"), &link.owner);
        let of = self.kind(pointer, link.of.as_deref());
        if let Some(kind) = &link.kind {
            self.check_type(&format!("{pointer}/type"), kind);
        }
        let kind = link.kind.as_deref().map(Arc::from);
        Some(LinkRule { handle: handle?, owner: owner?, of: of?, kind })
    }

    fn oracle(&mut self, oracle: &Oracle, arguments: &Arguments) -> Option<OracleRule> {
        let hit = oracle.hit.as_ref().map(|path| self.content_path("/oracle/hit", path));
        let hit = match hit {
            Some(path) => Some(path?),
            None => None,
        };
        Some(OracleRule { fact: arguments.guessed.clone()?, hit })
    }

    fn aggregate(&mut self, aggregate: &Aggregate, arguments: &Arguments) -> Option<AggregateRule> {
        let count = self.content_path("/aggregate/count", &aggregate.count);
        if aggregate.k < 2 {
            let message = "a figure over one subject is no figure over many";
            self.report("/aggregate/k", message, Some("write 2 or more"));
        }
        let (fact, filter) = arguments.figure.clone()?;
        Some(AggregateRule { fact, filter, count: count?, k: aggregate.k })
    }
}
