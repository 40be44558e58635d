//! Which blocks of the file are rewritten, and how a block says what it holds.

use fastrand::Rng;

/// How many extents are rewritten, spread over the file, if it is large enough.
const EXTENTS: u64 = 64;
/// Marks a block that carries a stamp.
const MAGIC: u64 = 0x5e95_c4ed_10c4_2005;

/// The blocks of a file: extents that are rewritten as a whole, and everything between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blocks {
    pub pages: u64,
    pub extents: u64,
    /// Of one extent.
    pub range: u64,
    /// From one extent to the next.
    stride: u64,
}

impl Blocks {
    /// At most half of the blocks are rewritten, so that some are left for writes through mappings.
    pub fn new(pages: u64, range: u64) -> Self {
        let range = range.min(pages / 2).max(1);
        let extents = (pages / 2 / range).clamp(1, EXTENTS);
        Self {
            pages,
            extents,
            range,
            // Odd: with a power of two, all extents would begin on the same stripe.
            stride: (pages / extents - 1) | 1,
        }
    }

    /// The first block of an extent.
    pub fn first(&self, extent: u64) -> u64 {
        extent * self.stride
    }

    /// One that is rewritten, with its extent; or, as often, any other.
    pub fn any(&self, random: &mut Rng) -> (u64, Option<u64>) {
        if random.bool() || self.pages == 1 {
            let extent = random.u64(..self.extents);
            let block = self.first(extent) + random.u64(..self.range);
            return (block, Some(extent));
        }
        loop {
            let block = random.u64(..self.pages);
            if block % self.stride >= self.range || block / self.stride >= self.extents {
                return (block, None);
            }
        }
    }
}

/// What the first words of a block say.
pub type Stamp = [u64; 2];

/// Stamps a block.
pub fn stamp(bytes: &mut [u8], block: u64, generation: u64) {
    bytes[..8].copy_from_slice(&(MAGIC ^ block).to_le_bytes());
    bytes[8..16].copy_from_slice(&generation.to_le_bytes());
}

/// The generation of a block; 0 if it has never been rewritten.
pub fn generation(block: u64, [magic, generation]: Stamp) -> u64 {
    match magic == MAGIC ^ block {
        true => generation,
        false => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The extent of each block, by asking the extents.
    fn owners(blocks: &Blocks) -> Vec<Option<u64>> {
        let mut owners = vec![None; blocks.pages as usize];
        for extent in 0..blocks.extents {
            let first = blocks.first(extent) as usize;
            for owner in &mut owners[first..first + blocks.range as usize] {
                assert_eq!(*owner, None, "extents do not overlap: {blocks:?}");
                *owner = Some(extent);
            }
        }
        owners
    }

    #[test]
    fn every_file_has_extents_and_blocks_between_them_that_are_told_apart() {
        let mut random = Rng::with_seed(1);
        for pages in (1..300).chain([16_384, 16_385, 100_000]) {
            for range in [1, 2, 16, 1024] {
                let blocks = Blocks::new(pages, range);
                let owners = owners(&blocks);
                let rewritten = owners.iter().flatten().count() as u64;
                assert!(
                    rewritten >= 1 && (pages == 1 || rewritten <= pages / 2),
                    "{blocks:?}"
                );
                for _ in 0..20 {
                    let (block, extent) = blocks.any(&mut random);
                    assert_eq!(
                        owners[block as usize], extent,
                        "block {block} of {blocks:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn extents_of_a_large_file_begin_on_many_stripes() {
        let blocks = Blocks::new(16_384, 16);
        let stripes: std::collections::BTreeSet<u64> = (0..blocks.extents)
            .map(|extent| blocks.first(extent) % 64)
            .collect();
        assert_eq!(stripes.len(), 64);
    }

    #[test]
    fn a_block_is_of_the_generation_that_it_was_stamped_with_and_no_other_block_is() {
        let mut bytes = [7; 16];
        stamp(&mut bytes, 5, 3);
        let words =
            [&bytes[..8], &bytes[8..]].map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        assert_eq!(generation(5, words), 3);
        assert_eq!(generation(6, words), 0);
    }
}
