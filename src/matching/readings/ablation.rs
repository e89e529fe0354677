//! What becomes of a decision without one of the steps: for tests that show who needs which.

use std::cell::Cell;

use super::steps::STEPS;

thread_local! {
    static LEFT_OUT: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// The names of all steps.
pub fn step_names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.name)
}

/// What `decide` returns where the step of that name is never taken, in paths and patterns that are read meanwhile by this
/// thread.
///
/// # Errors
/// [`NoSuchStep`]
pub fn without_step<T>(name: &str, decide: impl FnOnce() -> T) -> Result<T, NoSuchStep> {
    let step = step_names().find(|step| *step == name).ok_or(NoSuchStep)?;
    let before = LEFT_OUT.replace(Some(step));
    let decided = decide();
    LEFT_OUT.set(before);
    Ok(decided)
}

/// No step has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchStep;

pub(super) fn is_left_out(name: &str) -> bool {
    LEFT_OUT.get() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::{NoSuchStep, step_names, without_step};
    use crate::matching::readings::Readings;

    #[test]
    fn one_step_is_left_out_and_the_others_are_taken() {
        let reads = || Readings::parse(b"GET", Some(b"//a%20b")).any(|reading| reading == b"/a b");
        assert!(reads());
        assert_eq!(without_step("merge_slashes", reads), Ok(false));
        assert_eq!(without_step("cut_parameters", reads), Ok(true));
        assert!(reads());
        assert_eq!(without_step("no_step", reads), Err(NoSuchStep));
        assert!(step_names().all(|name| without_step(name, || ()).is_ok()));
    }
}
