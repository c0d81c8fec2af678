//! The file beneath, the environment above it: merged by the `config` crate, each value still traceable.

use std::collections::BTreeMap;

use config::{ConfigError, Map, Source, Value, ValueKind};

use super::raw::RawConfig;
use super::variable::{self, PREFIX};
use crate::yaml::{self, Document, FileError, FileErrors, KeyPath, Problems};

/// Where each value of a merged configuration came from.
pub(super) struct Layers {
    document: Document,
    variables: BTreeMap<KeyPath, String>,
}

impl Layers {
    /// Parses the file's text and every variable of ours, and lays the variables over the file.
    pub(super) fn merge(
        name: &str,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(RawConfig, Self), FileErrors> {
        let (document, file) = yaml::parse::<RawConfig>(name, text)?;
        let mut environment: Vec<_> = environment.filter(|(name, _)| name.starts_with(PREFIX)).collect();
        environment.sort();
        let (mut variables, mut errors) = (BTreeMap::<KeyPath, String>::new(), Vec::new());
        let mut builder = config::Config::builder().add_source(Layer::of(&file));
        for (name, value) in environment {
            let read = if value.contains(char::REPLACEMENT_CHARACTER) {
                Err("it is not UTF-8".to_string())
            } else {
                variable::read(&name[PREFIX.len()..], &value)
            };
            let settled = read.and_then(|(path, raw)| {
                let (path, raw) = rename_upstream(path, raw, &file)?;
                match variables.get(&path) {
                    Some(other) => Err(format!("{path}: `{other}` sets it too")),
                    None => Ok((path, raw)),
                }
            });
            match settled {
                Ok((path, raw)) => {
                    builder = builder.add_source(Layer::of(&raw));
                    variables.insert(path, name);
                }
                Err(why) => errors.push(FileError::whole(name, why)),
            }
        }
        FileErrors::of(errors)?;
        let raw = builder.build().and_then(config::Config::try_deserialize);
        let raw = raw.map_err(|error: ConfigError| FileErrors::from(FileError::whole(name, error.to_string())))?;
        Ok((raw, Self { document, variables }))
    }

    /// Ends the judging: every problem becomes an error of the file or of the variable that it is about.
    pub(super) fn settle(&self, problems: Problems) -> Result<(), FileErrors> {
        FileErrors::of(problems.into_iter().map(|(path, message)| self.error(&path, message)))
    }

    fn error(&self, path: &KeyPath, message: String) -> FileError {
        let above = self.variables.iter().rfind(|(set, _)| set.contains(path));
        let beneath = || self.variables.iter().find(|(set, _)| path.contains(set) && !self.document.says(path));
        match above.or_else(|| if path.is_root() { None } else { beneath() }) {
            Some((_, variable)) => FileError::whole(variable, format!("{path}: {message}")),
            None => self.document.error(path, message),
        }
    }
}

/// A variable cannot always spell an upstream's name: `REGISTRY_COMPANY_COM` means the file's `registry.company.com`.
fn rename_upstream(mut path: KeyPath, mut raw: RawConfig, file: &RawConfig) -> Result<(KeyPath, RawConfig), String> {
    let (Some(upstreams), Some(known)) = (&mut raw.upstreams, &file.upstreams) else { return Ok((path, raw)) };
    for (name, upstream) in std::mem::take(upstreams) {
        let alike: Vec<_> = known.keys().filter(|known| variable::alike(known, &name)).collect();
        let name = match alike[..] {
            _ if known.contains_key(&name) => name,
            [] => name,
            [one] => {
                path = path.renamed(1, one);
                one.clone()
            }
            [first, second, ..] => {
                return Err(format!("upstreams: `{name}` may mean `{first}` or `{second}`"));
            }
        };
        upstreams.insert(name, upstream);
    }
    Ok((path, raw))
}

#[derive(Debug, Clone)]
struct Layer(Map<String, Value>);

impl Layer {
    fn of(raw: &RawConfig) -> Self {
        // A RawConfig holds texts, numbers, lists and mappings with text for keys: JSON has all of them.
        match serde_json::to_value(raw).map(value) {
            Ok(Value { kind: ValueKind::Table(table), .. }) => Self(table),
            _ => Self(Map::new()),
        }
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

fn value(json: serde_json::Value) -> Value {
    let kind = match json {
        serde_json::Value::Null => ValueKind::Nil,
        serde_json::Value::Bool(flag) => ValueKind::Boolean(flag),
        serde_json::Value::Number(number) => number.as_u64().map_or(ValueKind::Nil, ValueKind::U64),
        serde_json::Value::String(text) => ValueKind::String(text),
        serde_json::Value::Array(items) => ValueKind::Array(items.into_iter().map(value).collect()),
        serde_json::Value::Object(entries) => {
            ValueKind::Table(entries.into_iter().map(|(key, json)| (key, value(json))).collect())
        }
    };
    Value::new(None, kind)
}
