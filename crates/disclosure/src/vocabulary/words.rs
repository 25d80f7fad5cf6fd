//! The words that betray what something is about.

/// A kind of facts that people usually protect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Concept {
    /// Where somebody is or lives.
    Location,
    /// What somebody earns.
    Pay,
    /// How somebody is.
    Health,
    /// What somebody has or owes.
    Money,
    /// Who somebody is, to the authorities.
    Identity,
    /// How somebody is reached.
    Contact,
    /// What opens doors.
    Credential,
}

/// Every concept with its words, in lower case, a blank between them.
pub(super) const WORDS: [(Concept, &str); 7] = [
    (
        Concept::Location,
        "address addresses closest coordinates courier deliver deliveries delivery directions \
         distance dropoff eta geo geocode gps household lat latitude lives lng locate location \
         locations locker lockers lon longitude map near nearby nearest neighborhood \
         neighbourhood pickup postal postcode residence route routes shipping street track \
         tracking where whereabouts zip zipcode",
    ),
    (
        Concept::Pay,
        "band bonus bonuses compensation earnings grade income overtime paid pay paygrade \
         payout payroll payslip payslips raise remuneration salaries salary stipend wage \
         wages",
    ),
    (
        Concept::Health,
        "allergies allergy claim claims clinical diagnoses diagnosis disability drug drugs \
         health illness immunization lab labs medical medication medications pharmacies \
         pharmacy pregnancy prescription prescriptions sick sickness symptom symptoms therapy \
         treatment treatments vaccination",
    ),
    (
        Concept::Money,
        "balance balances credit debt debts funds holdings iban invoice invoices loan loans \
         mortgage payment payments portfolio statement statements transaction transactions \
         wealth",
    ),
    (
        Concept::Identity,
        "birth birthdate birthday dob ethnicity gender identity licence license nationality \
         passport religion ssn taxid",
    ),
    (Concept::Contact, "contact contacts email emails mail mobile phone phones telephone"),
    (
        Concept::Credential,
        "apikey credential credentials password passwords pin secret secrets token tokens",
    ),
];

/// A set of concepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Concepts(u8);

impl Concepts {
    /// The concepts that `words` betray.
    pub(super) fn of<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let words: Vec<&str> = words.collect();
        let betrayed = (0_u8..)
            .zip(&WORDS)
            .filter(|(_, (_, known))| known.split(' ').any(|known| words.contains(&known)));
        Self(betrayed.fold(0, |bits, (place, _)| bits | 1 << place))
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Concept> {
        let placed = (0_u8..).zip(WORDS.iter().map(|(concept, _)| *concept));
        placed.filter(move |(place, _)| self.0 & 1 << place != 0).map(|(_, concept)| concept)
    }
}

/// The words of a name as programs write it: `get_homeAddress` is get, home, address.
pub fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = None;
    for c in name.chars() {
        let hump = c.is_uppercase() && before.is_some_and(char::is_lowercase);
        if (hump || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
