//! stand-in
use super::action::Action;
use crate::engine::Engine;
use sqlparser::tokenizer::Token;
pub(crate) fn recognise(_: &[Token], _: Engine, _: &dyn Fn(Vec<Token>) -> Option<Vec<Action>>) -> Option<Vec<Action>> { None }
pub(crate) fn by_head(_: &[Token], _: Engine) -> Option<Vec<Action>> { None }
