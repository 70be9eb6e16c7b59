//! What the wall clock did between two marks; history and the watches each draw their own conclusion.

use roundsman_core::time::Now;

/// How far wall and steady clock may move against each other before the wall clock has stepped. Slewing moves both
/// alike (CLOCK_BOOTTIME is slewed with CLOCK_REALTIME), so that anything else is a step; a second is the length of a
/// leap second, and below what anybody would set by hand.
const STEP_MS: i64 = 1_000;

/// Wall time minus CLOCK_BOOTTIME: the same as long as nobody sets the clock.
pub(crate) fn offset(now: Now) -> i64 {
    now.wall.0.saturating_sub_unsigned(now.mono.0)
}

/// By how much the wall clock was set between two moments of one boot; negative where it was set back, 0 where it
/// was not set as far as one can tell.
pub fn step_ms(before: Now, after: Now) -> i64 {
    let moved = offset(after).saturating_sub(offset(before));
    if moved.abs() > STEP_MS { moved } else { 0 }
}
