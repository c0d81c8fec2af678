//! Chances that can be repeated.

/// The generator called splitmix64.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Others, for the one with this number.
    pub(crate) fn of(&self, number: usize) -> Self {
        let mut dice = Self(self.0 ^ (number as u64).wrapping_mul(0xd134_2543_de82_ef95));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end as u64)).unwrap_or_default()
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }
}

/// Ranks of which the first are the likeliest: the second half as likely as the first, the third a third, and so on.
#[derive(Debug)]
pub(crate) struct Popularity(Vec<f64>);

impl Popularity {
    pub(crate) fn of(ranks: u32) -> Self {
        let mut sum = 0.0;
        let weights = (1..=ranks).map(|rank| {
            sum += 1.0 / f64::from(rank);
            sum
        });
        Self(weights.collect())
    }

    pub(crate) fn pick(&self, dice: &mut Dice) -> usize {
        let sum = self.0.last().copied().unwrap_or_default();
        let at = dice.share() * sum;
        self.0.partition_point(|reached| *reached < at).min(self.0.len() - 1)
    }
}
