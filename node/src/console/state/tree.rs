//! The screen of the supervision tree.

use std::collections::{HashMap, HashSet};

use rookery_protocol::inspect::TreeNode;

use super::cursor::Cursor;

/// How deep a tree is shown.
const DEPTH: usize = 32;
/// What lies deeper than this is folded at first.
const OPEN_DEPTH: usize = 2;

/// Where something is in the tree: names from the root, each with its number among siblings of the same name.
pub type Path = Vec<(String, usize)>;

/// Whether what something supervises is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// It supervises nothing.
    Leaf,
    /// It is shown.
    Open,
    /// It is not.
    Closed,
}

/// A line of the tree.
#[derive(Debug, Clone)]
pub struct Branch<'a> {
    /// Where it is.
    pub path: Path,
    /// What is there.
    pub node: &'a TreeNode,
    /// Whether what is below is shown.
    pub fold: Fold,
}

/// What of the tree is looked at.
#[derive(Debug, Default)]
pub struct TreeScreen {
    /// The chosen one.
    pub cursor: Cursor<Path>,
    /// What is folded other than at first.
    turned: HashSet<Path>,
}

impl TreeScreen {
    /// The lines that are shown.
    pub fn lines<'a>(&self, root: &'a TreeNode) -> Vec<Branch<'a>> {
        let mut lines = Vec::new();
        self.walk(root, vec![(root.name.clone(), 0)], &mut lines);
        lines
    }

    /// Where they are.
    pub fn keys(&self, root: Option<&TreeNode>) -> Vec<Path> {
        let lines = root.map(|root| self.lines(root)).unwrap_or_default();
        lines.into_iter().map(|line| line.path).collect()
    }

    fn walk<'a>(&self, node: &'a TreeNode, path: Path, lines: &mut Vec<Branch<'a>>) {
        let is_open = (path.len() <= OPEN_DEPTH) != self.turned.contains(&path);
        let fold = match (node.children.is_empty(), is_open) {
            (true, _) => Fold::Leaf,
            (false, true) => Fold::Open,
            (false, false) => Fold::Closed,
        };
        lines.push(Branch {
            path: path.clone(),
            node,
            fold,
        });
        if fold != Fold::Open || path.len() >= DEPTH {
            return;
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for child in &node.children {
            let number = seen.entry(&child.name).or_default();
            let mut path = path.clone();
            path.push((child.name.clone(), *number));
            *number += 1;
            self.walk(child, path, lines);
        }
    }

    /// Folds or unfolds; `Left` on what has nothing to fold goes to who supervises it.
    pub fn fold(&mut self, root: &TreeNode, wanted: Option<Fold>) {
        let lines = self.lines(root);
        let keys: Vec<_> = lines.iter().map(|line| line.path.clone()).collect();
        let Some(line) = self.cursor.index(&keys).map(|index| &lines[index]) else {
            return;
        };
        let turns = match wanted {
            None => line.fold != Fold::Leaf,
            Some(Fold::Closed) => line.fold == Fold::Open,
            Some(_) => line.fold == Fold::Closed,
        };
        if turns {
            if !self.turned.remove(&line.path) {
                self.turned.insert(line.path.clone());
            }
        } else if wanted == Some(Fold::Closed) && line.path.len() > 1 {
            let above = line.path[..line.path.len() - 1].to_vec();
            self.cursor.choose(above);
        }
    }
}
