//! Hashes that other implementations wrote, verified in one go and in slices.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

use std::process::Command;

use proptest::prelude::*;

use super::{Hash, HashError, HashJob, LONGEST_PASSWORD, Password, Scheme, Step, Work};

/// The most that may be done past the budget of a step.
const LONGEST_PIECE: Work = Work::from_micros(250);

/// What it costs to verify a password of so many bytes.
fn cost(hash: &Hash, password_len: usize) -> Work {
    hash.effort().work(password_len)
}

/// One job with its password.
struct Run {
    password: Password,
    job: HashJob,
    done: Work,
    state: Step,
}

impl Run {
    fn new(hash: &Hash, password: &[u8]) -> Self {
        let (password, job) = (Password::new(password), HashJob::genuine(hash));
        Self { password, job, done: Work::ZERO, state: Step::Pending }
    }

    /// A run that does the same work and ends wrong, whatever the password.
    fn decoy(hash: &Hash, password: &[u8]) -> Self {
        let mut run = Self::new(hash, password);
        run.job.right_counts = false;
        run
    }

    fn step(&mut self, budget: Work) -> Step {
        assert_eq!(self.state, Step::Pending, "a job that is finished is not asked again");
        let (done, state) = self.job.work(&self.password, budget);
        (self.done, self.state) = (self.done.plus(done), state);
        state
    }
}

/// Maker, hash and password of each fixed vector.
fn vectors() -> impl Iterator<Item = (&'static str, &'static str, Vec<u8>)> {
    include_str!("../../../testdata/hashes.tsv").lines().map(|line| {
        let fields: Vec<_> = line.split('\t').collect();
        let [maker, hash, password] = fields[..] else { panic!("three fields: {line}") };
        (maker, hash, bytes(password))
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Everything at once.
const ALL: Work = Work::from_nanos(u64::MAX);

fn verify(hash: &Hash, password: &[u8]) -> Step {
    let mut run = Run::new(hash, password);
    assert_eq!(run.job.remaining(run.password.bytes().len()), cost(hash, password.len()));
    let step = run.step(ALL);
    assert_ne!(step, Step::Pending);
    assert_eq!(run.done, cost(hash, password.len()));
    step
}

#[test]
fn hashes_of_other_implementations_verify() {
    let mut count = 0;
    for (maker, text, password) in vectors() {
        let hash = Hash::parse(text).unwrap_or_else(|error| panic!("{maker}: {error}: {text}"));
        assert_eq!(verify(&hash, &password), Step::Right, "{maker}: {text}");
        let mut wrong = password.clone();
        wrong.insert(0, b'!');
        assert_eq!(verify(&hash, &wrong), Step::Wrong, "{maker}: {text}");
        let mut run = Run::decoy(&hash, &password);
        assert_eq!(run.step(ALL), Step::Wrong, "a decoy of {maker}: {text}");
        assert_eq!(run.done, cost(&hash, password.len()));
        count += 1;
    }
    assert!(count > 600, "{count}");
}

/// Verifies in steps with these budgets, over and over.
fn sliced(hash: &Hash, password: &[u8], budgets: &[u64]) -> (Step, Work) {
    let mut run = Run::new(hash, password);
    for budget in budgets.iter().cycle() {
        let (budget, before) = (Work::from_nanos(*budget), run.done);
        let step = run.step(budget);
        let done = run.done.minus(before);
        assert!(done <= budget.plus(LONGEST_PIECE), "{done:?} of {budget:?}");
        if step != Step::Pending {
            return (step, run.done);
        }
        assert!(done >= budget, "{done:?} of {budget:?}");
    }
    (Step::Pending, Work::ZERO)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sliced_is_unsliced(
        at in 0..600_usize,
        budgets in prop::collection::vec(1..400_000_u64, 1..20),
        spoil in any::<bool>(),
    ) {
        let (_, text, mut password) = vectors().nth(at).unwrap();
        if spoil {
            password.insert(0, b'!');
        }
        let hash = Hash::parse(text).unwrap();
        let (step, work) = sliced(&hash, &password, &budgets);
        prop_assert_eq!(step, verify(&hash, &password));
        prop_assert_eq!(work, cost(&hash, password.len()));
    }

    #[test]
    fn no_text_panics(text in ".{0,80}") {
        let _ = Hash::parse(&text);
    }

    #[test]
    fn no_text_after_a_marker_panics(
        marker in prop::sample::select(vec!["{SHA}", "{SSHA}", "$apr1$", "$1$", "$2y$", "$2b$10$", "$5$", "$6$", "$6$rounds=", "$5$rounds=1000$"]),
        text in "[./0-9A-Za-z$=+é]{0,120}",
    ) {
        let _ = Hash::parse(&format!("{marker}{text}"));
    }

    #[test]
    fn a_changed_hash_never_accepts(at in 0..600_usize, place in 0..130_usize, to in "[./0-9A-Za-z$]") {
        let (_, text, password) = vectors().nth(at).unwrap();
        let place = place % text.len();
        let mut changed = text.to_string();
        changed.replace_range(place..=place, &to);
        if let Ok(hash) = Hash::parse(&changed)
            && verify(&hash, &password) == Step::Right
        {
            // Only the bits that bcrypt's base64 has to spare, and the names of its variants.
            prop_assert!(changed == text || (text.starts_with("$2") && [2, 28, 59].contains(&place)), "{} {}", text, changed);
        }
    }
}

#[test]
fn each_step_stays_within_the_longest_piece() {
    for text in [
        format!("$5$rounds=1000$saltstringsaltst${}", ".".repeat(43)),
        format!("$6$rounds=1000$saltstringsaltst${}", ".".repeat(86)),
        format!("$apr1$saltsalt${}", ".".repeat(22)),
        format!("$2y$04${}", ".".repeat(53)),
    ] {
        let hash = Hash::parse(&text).unwrap();
        for len in [0, 72, LONGEST_PASSWORD] {
            sliced(&hash, &vec![b'p'; len], &[1]);
        }
    }
}

/// A refused text and why.
#[test]
#[allow(clippy::too_many_lines)] // A table.
fn refusals() {
    use HashError::*;
    let bcrypt = "abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9JC";
    let sha256 = "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8";
    let low = |scheme, min| CostTooLow { scheme, min };
    let high = |scheme, max| CostTooHigh { scheme, max };
    for (text, error) in [
        (String::new(), Empty),
        ("rqXexS6ZhobKA".into(), DesCrypt),
        ("_J9..CCCCXBrApsD/E/I".into(), DesCrypt),
        ("./ABCDEFGHIJK".into(), DesCrypt),
        ("secret".into(), PlainText),
        ("with a space!".into(), PlainText),
        ("abcdefghijklmnopqrst".into(), PlainText),
        ("_abc".into(), PlainText),
        ("{CLEARTEXT}secret".into(), PlainText),
        ("{PLAIN}secret".into(), PlainText),
        ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA".into(), Argon2),
        (format!("$2x$05${bcrypt}"), Bcrypt2x),
        ("$7$CU..../....salt$hash".into(), MemoryHard),
        ("$y$j9T$salt$hash".into(), MemoryHard),
        ("$$apr1$$saltsalt$$sF2Bmm7DWWMnuFRJNKY4E1".into(), DoubledDollar),
        (format!("$$2y$$10$${bcrypt}"), DoubledDollar),
        ("$md5$rounds=904$salt$hash".into(), UnknownScheme),
        ("$2$05$x".into(), UnknownScheme),
        ("{sha}GpHWL3ymc5liWkNopqtdSjuqYHM=".into(), UnknownScheme),
        ("{SSHA256}AAAA".into(), UnknownScheme),
        ("{SHA}".into(), Digest(Scheme::Sha)),
        ("{SHA}GpHWL3ymc5liWkNopqtdSjuqYH==".into(), Digest(Scheme::Sha)),
        ("{SHA}GpHWL3ymc5liWkNopqtdSjuqYHNhYWE=".into(), Digest(Scheme::Sha)),
        ("{SHA}not base64!".into(), Digest(Scheme::Sha)),
        ("{SSHA}GpHWL3ymc5liWkNopqtdSjuqYHM=".into(), Salt(Scheme::SaltedSha)),
        ("$apr1$saltsalt".into(), Digest(Scheme::Apr1)),
        ("$apr1$saltsalts$sF2Bmm7DWWMnuFRJNKY4E1".into(), Salt(Scheme::Apr1)),
        ("$apr1$salt$sF2Bmm7DWWMnuFRJNKY4Ez".into(), Digest(Scheme::Apr1)),
        ("$apr1$salt$sF2Bmm7DWWMnuFRJNKY4".into(), Digest(Scheme::Apr1)),
        ("$1$sält$F0Fc2lbYpzr3KKdKkM0Wj.".into(), Salt(Scheme::Md5Crypt)),
        (format!("$2y$03${bcrypt}"), low(Scheme::Bcrypt, 4)),
        (format!("$2y$15${bcrypt}"), high(Scheme::Bcrypt, 14)),
        (format!("$2y$31${bcrypt}"), high(Scheme::Bcrypt, 14)),
        (format!("$2y$5${bcrypt}"), Rounds(Scheme::Bcrypt)),
        (format!("$2y$+5${bcrypt}"), Rounds(Scheme::Bcrypt)),
        ("$2y$05$short".into(), Salt(Scheme::Bcrypt)),
        ("$2y$05$abcdefghijklmnopqrst+uMFdJu9yVgmagVAIC24fOZkaFqd3s9JC".into(), Salt(Scheme::Bcrypt)),
        (format!("$2y$05${bcrypt}C"), Digest(Scheme::Bcrypt)),
        ("$2y$05$abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9J".into(), Digest(Scheme::Bcrypt)),
        (format!("$5$rounds=999$salt${sha256}"), low(Scheme::Sha256Crypt, 1_000)),
        (format!("$5$rounds=1000001$salt${sha256}"), high(Scheme::Sha256Crypt, 1_000_000)),
        (format!("$5$rounds=99999999999999999999$salt${sha256}"), high(Scheme::Sha256Crypt, 1_000_000)),
        (format!("$5$rounds=05000$salt${sha256}"), Rounds(Scheme::Sha256Crypt)),
        (format!("$5$rounds=$salt${sha256}"), Rounds(Scheme::Sha256Crypt)),
        (format!("$5$rounds=-1$salt${sha256}"), Rounds(Scheme::Sha256Crypt)),
        (format!("$5$seventeen-letters${sha256}"), Salt(Scheme::Sha256Crypt)),
        (format!("$5$salt${sha256}$"), Digest(Scheme::Sha256Crypt)),
        (format!("$6$salt${sha256}"), Digest(Scheme::Sha512Crypt)),
    ] {
        assert_eq!(Hash::parse(&text).err(), Some(error), "{text}");
        let shown = error.to_string();
        assert!(shown.contains("; "), "a cure is named: {shown}");
        if let Salt(scheme) | Digest(scheme) | Rounds(scheme) | CostTooLow { scheme, .. } | CostTooHigh { scheme, .. } =
            error
        {
            let marker =
                if scheme == Scheme::Bcrypt { "bcrypt" } else { text.split_inclusive(['}', '$']).next().unwrap() };
            assert!(shown.contains(marker), "the scheme is named: {shown}");
        }
        assert!(text.len() < 6 || !shown.contains(&text), "nothing is shown: {shown}");
    }
}

const BCRYPT14: &str = "$2y$14$abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9JC";

/// `$5$` and `$6$` hashes with so many rounds.
fn with_rounds(rounds: u32) -> [String; 2] {
    let sha256 = "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8";
    let sha512 = "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1.";
    [format!("$5$rounds={rounds}$saltstring${sha256}"), format!("$6$rounds={rounds}$saltstring${sha512}")]
}

#[test]
fn no_hash_costs_much_more_than_the_costliest_bcrypt() {
    let bcrypt = cost(&Hash::parse(BCRYPT14).unwrap(), 72);
    for text in with_rounds(1_000_000) {
        let hash = Hash::parse(&text).unwrap();
        assert!(cost(&hash, 32) <= bcrypt, "{:?}", cost(&hash, 32));
        // Of the longest password every round hashes up to half a kilobyte.
        assert!(
            cost(&hash, LONGEST_PASSWORD) <= bcrypt.times(5).minus(bcrypt.times(2)),
            "{:?}",
            cost(&hash, LONGEST_PASSWORD)
        );
    }
}

#[test]
fn what_costs_more_than_is_good_is_known() {
    let [sha256, sha512] = with_rounds(100_000);
    let [costly_sha256, costly_sha512] = with_rounds(100_001);
    for (text, is_costly) in [
        (BCRYPT14, true),
        (&BCRYPT14.replace("$14$", "$13$"), true),
        (&BCRYPT14.replace("$14$", "$12$"), false),
        (&sha256, false),
        (&sha512, false),
        (&costly_sha256, true),
        (&costly_sha512, true),
        ("{SHA}GpHWL3ymc5liWkNopqtdSjuqYHM=", false),
        ("$apr1$IEG2.gcn$JGPAXLVs55p5.sY5fJn7T1", false),
    ] {
        assert_eq!(Hash::parse(text).unwrap().is_costly(), is_costly, "{text}");
    }
}

#[test]
fn bcrypt_looks_at_72_bytes() {
    // Written by `htpasswd -B`, which cuts without a word.
    let (_, text, password) = vectors().find(|(maker, _, p)| *maker == "htpasswd -B -C 4" && p.len() == 127).unwrap();
    let hash = Hash::parse(text).unwrap();
    assert_eq!(verify(&hash, &password[..72]), Step::Right);
    assert_eq!(verify(&hash, &[&password[..72], b"anything"].concat()), Step::Right);
    assert_eq!(verify(&hash, &password[..71]), Step::Wrong);
}

#[test]
fn a_nul_matches_nothing() {
    for (_, text, password) in vectors().filter(|(_, _, p)| p == b"a") {
        let hash = Hash::parse(text).unwrap();
        for other in [&b"a\0"[..], b"a\0a", b"\0", b"a\0b"] {
            assert_eq!(verify(&hash, other), Step::Wrong, "{text}");
        }
        assert_eq!(verify(&hash, &password), Step::Right);
    }
}

#[test]
fn a_password_beyond_the_bound_matches_nothing_and_costs_no_more() {
    // `openssl passwd` cuts at 256 bytes: the hash is that of the first 256.
    let hash = Hash::parse("$5$abc$szUkIsLvz4Kx.io.XRbheMxgY/DiA.tuhCCPFvjJge7").unwrap();
    assert_eq!(verify(&hash, &[b'a'; 256]), Step::Right);
    assert_eq!(verify(&hash, &[b'a'; 257]), Step::Wrong);
    assert_eq!(verify(&hash, &vec![b'a'; 50_000]), Step::Wrong);
    assert_eq!(cost(&hash, 50_000), cost(&hash, LONGEST_PASSWORD));
}

#[test]
fn a_hash_shows_nothing() {
    let hash = Hash::parse("{SHA}GpHWL3ymc5liWkNopqtdSjuqYHM=").unwrap();
    assert_eq!(format!("{hash:?}"), "Hash(..)");
}

/// What is asked of a program that writes hashes.
struct Writer {
    program: &'static str,
    /// Where the options stand: before the user and the password, or before the password alone.
    arguments: fn(&[&'static str], &'static str) -> Vec<&'static str>,
    /// What every version of it writes.
    always: &'static [&'static [&'static str]],
    /// What newer versions write, or those that are linked to other libraries.
    perhaps: &'static [&'static [&'static str]],
}

const WRITERS: &[Writer] = &[
    Writer {
        program: "htpasswd",
        arguments: |options, password| [options, &["user", password]].concat(),
        always: &[&["-nbs"], &["-nbm"], &["-nbB"], &["-nbB", "-C", "4"], &["-nbB", "-C", "8"]],
        perhaps: &[&["-nb2"], &["-nb5"], &["-nb2", "-r", "1000"], &["-nb5", "-r", "20000"]],
    },
    Writer {
        program: "openssl",
        arguments: |options, password| [&["passwd"], options, &[password]].concat(),
        always: &[&["-1"], &["-apr1"]],
        perhaps: &[&["-5"], &["-6"]],
    },
    // One of that name writes random passwords, and knows none of this.
    Writer {
        program: "mkpasswd",
        arguments: |options, password| [options, &[password]].concat(),
        always: &[],
        perhaps: &[
            &["-m", "md5crypt"],
            &["-m", "sha256crypt"],
            &["-m", "sha512crypt"],
            &["-m", "bcrypt"],
            &["-m", "bcrypt-a"],
        ],
    },
];

/// What a program prints; nothing if it is not installed, or refuses the arguments.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.trim().trim_start_matches("user:").to_owned())
}

/// On a machine of CI at least one of the programs is installed; anywhere else each is tried that is.
#[test]
fn hashes_written_just_now_verify() {
    const PASSWORD: &str = "pässwörd of today";
    let mut verified = 0;
    for Writer { program, arguments, always, perhaps } in WRITERS {
        if Command::new(program).arg("--version").output().is_err() {
            println!("skipped: {program} is not installed");
            continue;
        }
        for options in always.iter().chain(*perhaps) {
            let Some(text) = output(program, &arguments(options, PASSWORD)) else {
                assert!(perhaps.contains(options), "{program} {} failed", options.join(" "));
                println!("skipped: this {program} does not know {}", options.join(" "));
                continue;
            };
            let hash = Hash::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(verify(&hash, PASSWORD.as_bytes()), Step::Right, "{text}");
            assert_eq!(verify(&hash, b"another"), Step::Wrong, "{text}");
            verified += 1;
        }
    }
    println!("{verified} hashes written and verified");
    assert!(verified > 0 || std::env::var_os("CI").is_none(), "no program that writes hashes is installed");
}
