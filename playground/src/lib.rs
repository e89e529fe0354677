//! What the page calls: it asks for room, writes its question there, and reads the answer.
//!
//! Nothing here follows a pointer: the page gets places in the memory of the module, which it may read and write anyway.

#![allow(
    unsafe_code,
    reason = "an exported name is `unsafe`, for two of them could collide; there is no other code here"
)]

use std::cell::RefCell;

thread_local! {
    static QUESTION: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Room for a question of so many bytes: where it is.
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *const u8 {
    QUESTION.with_borrow_mut(|question| {
        question.clear();
        question.resize(bytes, 0);
        question.as_ptr()
    })
}

/// Answers the question: where the answer is.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> *const u8 {
    let text = QUESTION.with_borrow(|question| basic_auth_cli::answer(&String::from_utf8_lossy(question)));
    ANSWER.with_borrow_mut(|answer| {
        *answer = text;
        answer.as_ptr()
    })
}

/// How many bytes the answer has.
#[unsafe(no_mangle)]
pub extern "C" fn answer_length() -> usize {
    ANSWER.with_borrow(String::len)
}
