//! Syncs without end against an API that fails in every way: whatever happens, nothing is lost, and neither memory nor
//! threads nor files leak.
//!
//! ```sh
//! soak                                  # a minute
//! soak --seconds 3600 --seed 7          # an hour, with the faults of seed 7
//! soak --binary target/release/source-http   # every tenth round by processes that are killed
//! ```
//!
//! A round reads ten streams of the mock Stripe from nothing, by ten workers. Requests fail (`faults`), readers leave,
//! processes are killed; each time the next run resumes from the last state of each stream, until one ends well. Then
//! every object must have been written. Rounds run in virtual time, those of processes in real time.
//!
//! With `MALLOC_ARENA_MAX=1` memory says more: glibc keeps an arena for each of many threads, and what lies there for
//! later looks like a leak that ends after some hundred rounds.
#![allow(clippy::print_stdout, reason = "what it found is its output")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "its numbers are small"
)]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "what it cannot do ends it")]

mod chance;
mod faults;
mod resources;
mod round;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use source_http::clock::{Clock, Random, SystemClock, SystemRandom};

use chance::Chance;
use faults::Faults;
use resources::Resources;
use round::{Account, Tally};

/// Rounds before the first measurement of memory: buffers, pools and the allocator have their sizes by then.
const WARM_UP: u64 = 10;

/// Rounds between two lines about what is held.
const TOLD: u64 = 100;

#[derive(Parser)]
struct Args {
    /// How long, in seconds. The round that is under way is finished.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Which faults come when. Default: another one each time, which is printed.
    #[arg(long)]
    seed: Option<u64>,
    /// Slices that are read at the same time.
    #[arg(long, default_value_t = 10)]
    workers: usize,
    /// The built connector, for rounds of processes that are killed.
    #[arg(long)]
    binary: Option<PathBuf>,
}

fn main() {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| (SystemRandom.fraction() * 1e9) as u64);
    // Each run has a directory of its own, which a relative path would lead on from.
    let binary = args.binary.map(|binary| binary.canonicalize().expect("--binary leads to the connector"));
    println!("seed {seed}, {} workers, {} s", args.workers, args.seconds);
    let (clock, chance) = (SystemClock::new(), Arc::new(Chance::new(seed)));
    let faults = Arc::new(Faults::new(chance.clone()));
    let account = Account::new(clock.now().as_second(), &faults, args.workers);
    let mut tally = Tally::default();
    let mut early: Option<Resources> = None;
    let limit = Duration::from_secs(args.seconds);
    while clock.elapsed() < limit || tally.rounds <= WARM_UP {
        tally.rounds += 1;
        match &binary {
            Some(binary) if tally.rounds.is_multiple_of(10) => account.by_processes(binary, &chance, &mut tally),
            _ => account.in_process(&chance, &mut tally),
        }
        if tally.rounds == WARM_UP {
            early = Resources::at_rest(&clock);
        }
        if tally.rounds.is_multiple_of(TOLD)
            && let Some(held) = Resources::at_rest(&clock)
        {
            println!("{} s, {} rounds: {held}", clock.elapsed().as_secs(), tally.rounds);
        }
    }
    println!("{tally}\nfaults: {faults}\n{} s", clock.elapsed().as_secs());
    match (early, Resources::at_rest(&clock)) {
        (Some(early), Some(last)) => {
            println!("after {WARM_UP} rounds: {early}\nat the end: {last}");
            last.assert_no_leak_since(&early);
        }
        _ => println!("memory, threads and files are not known on this system"),
    }
}
