//! What things look like. Nothing is said by colour alone.

use ratatui::style::{Color, Modifier, Style};

/// What the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colours, which `NO_COLOR` forbids.
    pub has_colour: bool,
    /// Letters beyond ASCII, by the locale.
    pub has_unicode: bool,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As any.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// To be looked at.
    Warn,
    /// Broken.
    Bad,
    /// Beside the point.
    Dim,
    /// What something is called.
    Title,
    /// Chosen.
    Chosen,
}

impl Look {
    /// By the variables of the environment.
    ///
    /// # Errors
    /// The terminal has no screen.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if set("TERM").is_some_and(|term| term == "dumb") {
            return Err(
                "this terminal is said to have no screen (TERM=dumb), which the console needs: use the commands instead"
                    .to_owned(),
            );
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        Ok(Self {
            has_colour: set("NO_COLOR").is_none(),
            has_unicode: locale.contains("utf-8") || locale.contains("utf8"),
        })
    }

    /// The style of a tone.
    pub fn style(self, tone: Tone) -> Style {
        let plain = Style::new();
        let coloured = |colour| match self.has_colour {
            true => plain.fg(colour),
            false => plain,
        };
        match tone {
            Tone::Plain => plain,
            Tone::Good => coloured(Color::Green),
            Tone::Warn => coloured(Color::Yellow),
            Tone::Bad => coloured(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Dim => plain.add_modifier(Modifier::DIM),
            Tone::Title => plain.add_modifier(Modifier::BOLD),
            Tone::Chosen => plain.add_modifier(Modifier::REVERSED),
        }
    }

    /// Stands for what did not fit.
    pub fn cut(self) -> &'static str {
        if self.has_unicode { "…" } else { "~" }
    }

    /// Steps of a bar, from nothing to all.
    pub fn steps(self) -> &'static [char] {
        if self.has_unicode {
            &[' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        } else {
            &[' ', '.', ':', '-', '=', '+', '*', '#']
        }
    }
}
