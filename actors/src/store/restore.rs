//! What of a store a backup holds, and what a restore makes of it.
//!
//! Everything that people made is taken over as it is. What is about the processes of the old store is not: who runs, who owns
//! which shard and where lanes stand are not in a backup, so every earlier incarnation counts as fenced. Of a node and of a
//! worker id it is kept how far they came, and their ceilings are raised to the highest one, so that nothing minted later
//! repeats an id that was given out before, whoever mints it.

use rookery_protocol::archive::Row;
use rookery_protocol::document::{
    CorruptRow, Key, NodeRow, Nodes, TableId, WorkerRow, Workers, decode,
};
use rookery_protocol::time::Millis;

use super::{Write, put};

/// Whether a table's rows are in backups.
pub fn is_backed_up(table: TableId) -> bool {
    !matches!(
        table,
        TableId::Restores
            | TableId::Incarnations
            | TableId::Shards
            | TableId::View
            | TableId::VoiceStates
            | TableId::Rooms
            | TableId::RoomsAt
    )
}

/// The rows of a backup on their way into a store.
#[derive(Debug)]
pub struct Restore {
    /// No id of the old store was minted at or after it.
    ceiling: Millis,
    nodes: Vec<(Key, NodeRow)>,
    workers: Vec<(Key, WorkerRow)>,
}

impl Restore {
    /// Takes over a backup that was made at an instant.
    pub fn new(created_at: Millis) -> Self {
        Self {
            ceiling: created_at,
            nodes: Vec::new(),
            workers: Vec::new(),
        }
    }

    /// What is written of a row now; some come with [`Restore::finish`].
    ///
    /// # Errors
    /// The row of a node or a worker id cannot be read.
    pub fn take(&mut self, row: Row) -> Result<Option<Write>, CorruptRow> {
        let Row { table, key, row } = row;
        match table {
            TableId::Nodes => {
                let node = decode::<Nodes>(&row)?;
                self.ceiling = self.ceiling.max(node.id_ceiling);
                self.nodes.push((key, node));
                Ok(None)
            }
            TableId::Workers => {
                let worker = decode::<Workers>(&row)?;
                self.ceiling = self.ceiling.max(worker.ceiling);
                self.workers.push((key, worker));
                Ok(None)
            }
            table if is_backed_up(table) => Ok(Some(Write::Put { table, key, row })),
            _ => Ok(None),
        }
    }

    /// What is written last: as many rows as were kept back.
    pub fn finish(self) -> Vec<Write> {
        let ceiling = self.ceiling;
        let nodes = self.nodes.into_iter().map(|(key, node)| {
            let row = NodeRow {
                id_ceiling: ceiling,
                ..node
            };
            put::<Nodes>(key, &row)
        });
        let workers = self.workers.into_iter().map(|(key, worker)| {
            let row = WorkerRow { ceiling, ..worker };
            put::<Workers>(key, &row)
        });
        nodes.chain(workers).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::document::{
        IncarnationId, RestoreRow, Restores, Shards, Table, View, ViewRow, encode,
    };

    fn row<T: Table>(key: Key, row: &T::Row) -> Row {
        Row {
            table: T::ID,
            key,
            row: encode::<T>(row),
        }
    }

    #[test]
    fn everybody_mints_above_what_anybody_minted() {
        let node = |ceiling| NodeRow {
            incarnation: 3,
            id_ceiling: Millis(ceiling),
        };
        let worker = |ceiling| WorkerRow {
            holder: IncarnationId {
                node: "a".into(),
                number: 3,
            },
            ceiling: Millis(ceiling),
        };
        let (of_node, of_worker) = (Key::single("a"), Key::new(0, 7));
        // Made at, of the node, of the worker id; and what all of them are raised to.
        for (at, node_at, worker_at, top) in
            [(500, 90, 700, 700), (900, 90, 700, 900), (1, 800, 700, 800)]
        {
            let mut restore = Restore::new(Millis(at));
            for row in [
                row::<Nodes>(of_node.clone(), &node(node_at)),
                row::<Workers>(of_worker.clone(), &worker(worker_at)),
            ] {
                assert_eq!(restore.take(row).unwrap(), None);
            }
            let expected = [
                put::<Nodes>(of_node.clone(), &node(top)),
                put::<Workers>(of_worker.clone(), &worker(top)),
            ];
            assert_eq!(restore.finish(), expected);
        }
    }

    #[test]
    fn what_is_about_the_old_processes_is_not_taken_over_and_the_rest_is_as_it_was() {
        let mut restore = Restore::new(Millis(1));
        let created_at = Millis(1);
        for row in [
            row::<Restores>(Key::single(0), &RestoreRow { created_at }),
            row::<View>(Key::single(0), &ViewRow::default()),
        ] {
            assert_eq!(restore.take(row).unwrap(), None);
        }
        assert!(!is_backed_up(Shards::ID) && is_backed_up(TableId::Requests));
        let other = Row {
            table: TableId::Messages,
            key: Key::new(1, 2),
            row: vec![7],
        };
        let write = restore.take(other).unwrap();
        assert!(matches!(write, Some(Write::Put { row, .. }) if row == [7]));
        assert_eq!(restore.finish(), []);
    }
}
