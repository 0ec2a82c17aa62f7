//! Rust's tokens, with their lines.

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

/// What a token is, as far as a page cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Comment,
    /// A string, a character or a byte.
    Text,
    Number,
    Ident,
    Lifetime,
    Open,
    Close,
    Semicolon,
    Other,
}

/// A token of a source file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// The line it begins on, from 0.
    pub(super) line: usize,
}

impl Token<'_> {
    /// The line it ends on.
    pub(super) fn last_line(&self) -> usize {
        self.line + self.text.matches('\n').count()
    }

    /// Whether it is neither space nor comment.
    pub(super) fn is_code(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }
}

/// The tokens of some Rust, which together are all of it.
pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    let (mut start, mut line) = (0, 0);
    let token = |token: ra_ap_rustc_lexer::Token| {
        let text = &code[start..start + token.len as usize];
        let found = Token { kind: kind(token.kind), text, line };
        start += text.len();
        line = found.last_line();
        found
    };
    tokenize(code, FrontmatterAllowed::No).map(token).collect()
}

fn kind(kind: TokenKind) -> Kind {
    match kind {
        TokenKind::Whitespace => Kind::Space,
        TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => Kind::Comment,
        TokenKind::Literal { kind: LiteralKind::Int { .. } | LiteralKind::Float { .. }, .. } => Kind::Number,
        TokenKind::Literal { .. } => Kind::Text,
        TokenKind::Ident | TokenKind::RawIdent => Kind::Ident,
        TokenKind::Lifetime { .. } | TokenKind::RawLifetime => Kind::Lifetime,
        TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::OpenBracket => Kind::Open,
        TokenKind::CloseParen | TokenKind::CloseBrace | TokenKind::CloseBracket => Kind::Close,
        TokenKind::Semi => Kind::Semicolon,
        _ => Kind::Other,
    }
}
