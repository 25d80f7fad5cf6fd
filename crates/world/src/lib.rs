//! What is known: one immutable snapshot of people, groups, agents and objects.
