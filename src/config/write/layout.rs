//! The layout of a file in TOML: which tables have a header, and where lines break.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use crate::config::tables::FrontDoorTable;

/// The longest line, in characters.
const WIDTH: usize = 120;

const INDENT: &str = "    ";

/// Fields whose tables have headers, however short they are.
const WITH_HEADERS: [&str; 2] = ["profile", "answers"];

/// Fields whose lists are written as tables with headers.
const LISTS_WITH_HEADERS: [&str; 1] = ["answers_by_path"];

/// What a file says of its limiter.
const IN_MEMORY: &str = "\
    # Counts in this process. Name a Redis if there are several: url = { env = \"REDIS_URL\" }\n";

/// Writes a file, with a limiter if there is something to count.
pub(super) fn layout(front_door: &FrontDoorTable, counts: bool) -> String {
    // Only maps with other keys than texts, and numbers over 64 bits, have no TOML. The tables have neither.
    let document = toml_edit::ser::to_document(front_door).unwrap_or_default();
    let mut described = document.into_table();
    lay_out(&mut described);
    let mut root = Table::new();
    if counts {
        let mut limiter = Table::from_iter([("url", "memory:")]);
        let line = if described.iter().any(|(_, item)| !has_header(item)) { "\n" } else { "" };
        limiter.decor_mut().set_prefix(format!("{line}{IN_MEMORY}"));
        root.insert("limiter", Item::Table(limiter));
    }
    root.extend(described);
    DocumentMut::from(root).to_string()
}

/// Gives headers to the tables of a table, where they need them, and breaks what is too long.
fn lay_out(table: &mut Table) {
    let names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let Some(item) = table.remove(&name) else { continue };
        let room = WIDTH.saturating_sub(name.len() + " = ".len());
        table.insert(&name, laid_out(&name, item, room));
    }
    // Fields come before the tables with headers, else they would be fields of those.
    table.sort_values_by(|_, one, _, other| has_header(one).cmp(&has_header(other)));
}

fn has_header(item: &Item) -> bool {
    match item {
        Item::Table(table) => !table.is_dotted(),
        other => other.is_array_of_tables(),
    }
}

fn laid_out(name: &str, item: Item, room: usize) -> Item {
    match item {
        Item::Value(Value::InlineTable(fields))
            if WITH_HEADERS.contains(&name) || width(&fields) > room =>
        {
            let mut table = with_header(fields);
            table.set_dotted(!WITH_HEADERS.contains(&name) && is_short_choice(&table, room));
            Item::Table(table)
        }
        Item::Value(Value::Array(list)) if LISTS_WITH_HEADERS.contains(&name) => {
            Item::ArrayOfTables(with_headers(list))
        }
        Item::Value(mut value) => {
            break_lines(&mut value, room, 0);
            Item::Value(value)
        }
        other => other,
    }
}

/// Returns true for a table with one field, which fits on the line as `body.text = "…"`.
fn is_short_choice(table: &Table, room: usize) -> bool {
    let mut fields = table.iter();
    match (fields.next(), fields.next()) {
        (Some((name, Item::Value(value))), None) => name.len() + 1 + width(value) <= room,
        _ => false,
    }
}

fn with_header(fields: InlineTable) -> Table {
    let mut table = fields.into_table();
    lay_out(&mut table);
    // `[profile.answers]` implies `[profile]`.
    table.set_implicit(true);
    table
}

fn with_headers(list: Array) -> ArrayOfTables {
    let tables = list.into_iter().filter_map(|item| match item {
        Value::InlineTable(fields) => Some(with_header(fields)),
        _ => None,
    });
    tables.collect()
}

/// Writes the items of lists that do not fit on a line below one another.
fn break_lines(value: &mut Value, room: usize, depth: usize) {
    if width(value) <= room {
        return;
    }
    match value {
        Value::Array(list) => {
            let indent = format!("\n{}", INDENT.repeat(depth + 1));
            let room = WIDTH.saturating_sub(indent.len());
            for item in list.iter_mut() {
                break_lines(item, room, depth + 1);
                item.decor_mut().set_prefix(&indent);
            }
            list.set_trailing_comma(true);
            list.set_trailing(format!("\n{}", INDENT.repeat(depth)));
        }
        Value::InlineTable(fields) => {
            for (name, field) in fields.iter_mut() {
                let name = name.get().len() + "{  = }".len();
                break_lines(field, room.saturating_sub(name), depth);
            }
        }
        _ => {}
    }
}

fn width(value: &impl ToString) -> usize {
    value.to_string().chars().count()
}
