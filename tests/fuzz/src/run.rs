//! Runs of a target without a fuzzer: over a corpus, and over what a seeded mutator makes of it.

use std::{fs, io, path::Path};

/// The inputs of a corpus: one file each, in the order of their names.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn corpus(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.iter().map(fs::read).collect()
}

/// What lies behind a seed: inputs without end, each made of those of the corpus.
#[derive(Debug)]
pub struct Mutator<'a> {
    corpus: &'a [Vec<u8>],
    random: u64,
}

/// The longest input that is made.
const LONGEST: usize = 2048;

/// Numbers where lengths and signs turn.
const EDGES: [u32; 8] = [0, 1, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, u32::MAX];

// === impl Mutator ===

impl<'a> Mutator<'a> {
    /// Of a corpus, which may be empty.
    pub fn new(corpus: &'a [Vec<u8>], seed: u64) -> Self {
        Self { corpus, random: seed }
    }

    /// [SplitMix64](https://prng.di.unimi.it/splitmix64.c).
    fn draw(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = self.random;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((drawn ^ (drawn >> 31)) % below.max(1) as u64) as usize
    }

    fn pick(&mut self) -> Vec<u8> {
        let at = self.draw(self.corpus.len());
        self.corpus.get(at).cloned().unwrap_or_default()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.draw(input.len() + 1);
        let to = (at + self.draw(17)).min(input.len());
        match self.draw(7) {
            0 if at < input.len() => input[at] ^= 1 << self.draw(8),
            1 if at < input.len() => input[at] = self.draw(256) as u8,
            2 => drop(input.drain(at..to)),
            3 => {
                let again = input[at..to].to_vec();
                input.splice(at..at, again);
            }
            4 => {
                let edge = EDGES[self.draw(EDGES.len())].to_le_bytes();
                let to = (at + 4).min(input.len());
                input.splice(at..to, edge);
            }
            5 => {
                let other = self.pick();
                let from = self.draw(other.len());
                input.splice(at..to, other[from..].iter().copied());
            }
            _ => input.extend((0..self.draw(33)).map(|_| self.draw(256) as u8).collect::<Vec<_>>()),
        }
        input.truncate(LONGEST);
    }
}

impl Iterator for Mutator<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.pick();
        for _ in 0..=self.draw(8) {
            self.change(&mut input);
        }
        Some(input)
    }
}
