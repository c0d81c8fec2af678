//! Colour, for terminals only.

use std::io::IsTerminal;

/// Whether text is painted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

/// A way to paint.
#[derive(Debug, Clone, Copy)]
pub(super) enum Colour {
    Bold,
    Faint,
    Green,
    Red,
    Yellow,
}

impl Paint {
    /// Paints if `on`.
    pub(super) const fn new(on: bool) -> Self {
        Self { on }
    }

    /// Paints if `out` is a terminal whose user has not asked for none (`NO_COLOR`).
    pub(super) fn on(out: &impl IsTerminal) -> Self {
        Self::new(out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    /// `text` in `colour`.
    pub(super) fn with(self, text: &str, colour: Colour) -> String {
        if self.on { format!("\x1b[{}m{text}\x1b[0m", colour.code()) } else { text.to_string() }
    }
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Faint => "2",
            Self::Green => "32",
            Self::Red => "31",
            Self::Yellow => "33",
        }
    }
}
