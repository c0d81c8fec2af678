//! One element of a Kyverno policy as it is translated: its value, its place, and what is noted about it.

use std::cell::RefCell;

use super::node::{Entry, Node, Spot, Value};
use super::report::{Class, Finding};
use crate::yaml::{KeyPath, did_you_mean};

/// What is noted while policies are translated.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The file and the object that are being translated.
    here: RefCell<(String, String)>,
    findings: RefCell<Vec<Finding>>,
}

impl Notes {
    /// Names the file and the object that the notes are about from here on.
    pub(super) fn about(&self, file: &str, object: &str) {
        *self.here.borrow_mut() = (file.into(), object.into());
    }

    /// How many elements could not be translated so far: what contains one more is left out.
    pub(super) fn refusals(&self) -> usize {
        self.findings.borrow().iter().filter(|finding| finding.class == Class::NotTranslatable).count()
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }
}

/// An element: a value in its place.
#[derive(Debug, Clone)]
pub(super) struct Element<'a> {
    pub(super) value: &'a Value,
    pub(super) spot: Spot,
    path: KeyPath,
    notes: &'a Notes,
}

impl<'a> Element<'a> {
    /// A whole document.
    pub(super) fn root(node: &'a Node, notes: &'a Notes) -> Self {
        Self { value: &node.value, spot: node.spot, path: KeyPath::default(), notes }
    }

    pub(super) fn notes(&self) -> &'a Notes {
        self.notes
    }

    /// Its place, for later notes.
    pub(super) fn place(&self) -> Place {
        Place { spot: self.spot, path: self.path.clone(), object: self.notes.here.borrow().clone() }
    }

    pub(super) fn note(&self, class: Class, text: impl Into<String>) {
        self.notes.note(class, &self.place(), text.into());
    }

    pub(super) fn exact(&self, text: impl Into<String>) {
        self.note(Class::Exact, text);
    }

    pub(super) fn stricter(&self, text: impl Into<String>) {
        self.note(Class::Stricter, text);
    }

    pub(super) fn different(&self, text: impl Into<String>) {
        self.note(Class::Different, text);
    }

    pub(super) fn suggest(&self, text: impl Into<String>) {
        self.note(Class::Suggestion, text);
    }

    /// Notes that it cannot be translated: nothing can be made of it.
    pub(super) fn refuse<T>(&self, text: impl Into<String>) -> Option<T> {
        self.note(Class::NotTranslatable, text);
        None
    }

    /// The value, or the note that it cannot be translated.
    pub(super) fn accept<T>(&self, result: Result<T, String>) -> Option<T> {
        result.map_or_else(|why| self.refuse(why), Some)
    }

    /// Its keys; of anything else it is noted.
    pub(super) fn fields(&self) -> Option<Fields<'a>> {
        match self.value {
            Value::Map(entries) => Some(Fields { entries, whole: self.clone(), asked: RefCell::default() }),
            other => self.refuse(format!("expected a mapping, found {}", other.kind())),
        }
    }

    /// Its items; of anything else it is noted.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let Value::List(items) = self.value else {
            return self.refuse(format!("expected a list, found {}", self.value.kind()));
        };
        let item = |(index, node): (usize, &'a Node)| Self {
            value: &node.value,
            spot: node.spot,
            path: self.path.index(index),
            notes: self.notes,
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// Its text; of anything else it is noted.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::Text(text) => Some(text),
            other => self.refuse(format!("expected a text, found {}", other.kind())),
        }
    }

    /// Whether it is `true`; of anything else than `true` and `false` it is noted.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Flag(flag) => Some(*flag),
            other => self.refuse(format!("expected `true` or `false`, found {}", other.kind())),
        }
    }
}

/// Where something stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    spot: Spot,
    path: KeyPath,
    object: (String, String),
}

impl Notes {
    /// Notes something about the element at `place`.
    pub(super) fn note(&self, class: Class, place: &Place, text: String) {
        let (line, column) = place.spot;
        let (file, object) = place.object.clone();
        let finding = Finding { class, file, line, column, object, element: place.path.to_string(), text };
        self.findings.borrow_mut().push(finding);
    }

    /// Notes something about all that was translated.
    pub(super) fn note_of_all(&self, class: Class, text: &str) {
        let (file, object, element) = Default::default();
        self.findings.borrow_mut().push(Finding {
            class,
            file,
            line: 0,
            column: 0,
            object,
            element,
            text: text.into(),
        });
    }
}

/// The keys of a mapping. Whoever reads it asks for every key that it knows, and then calls [`Fields::finish`].
#[derive(Debug)]
pub(super) struct Fields<'a> {
    entries: &'a [Entry],
    whole: Element<'a>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// The value of `key`, if there is one: a key without a value is none in Kubernetes.
    pub(super) fn take(&self, key: &'static str) -> Option<Element<'a>> {
        self.asked.borrow_mut().push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.node.value, Value::Null)).then(|| self.element(entry))
    }

    /// Notes that these keys, where given, need no counterpart.
    pub(super) fn not_needed(&self, keys: &[(&'static str, &str)]) {
        for (key, why) in keys {
            if let Some(element) = self.take(key) {
                element.note(Class::NotNeeded, *why);
            }
        }
    }

    /// Notes that these keys, where given, cannot be translated.
    pub(super) fn refused(&self, keys: &[(&'static str, &str)]) {
        for (key, why) in keys {
            if let Some(element) = self.take(key) {
                element.note(Class::NotTranslatable, *why);
            }
        }
    }

    /// Notes every key that nobody asked for: what it means is not known, so it cannot be left out.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for entry in self.entries.iter().filter(|entry| !asked.contains(&entry.key.as_str())) {
            let hint = did_you_mean(&entry.key, asked.iter().copied());
            self.element(entry).note(Class::NotTranslatable, format!("it is no field that is known here{hint}"));
        }
    }

    /// The mapping itself.
    pub(super) fn whole(&self) -> &Element<'a> {
        &self.whole
    }

    /// Every key with its value.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a str, Element<'a>)> + '_ {
        self.entries.iter().map(|entry| (entry.key.as_str(), self.element(entry)))
    }

    fn element(&self, entry: &'a Entry) -> Element<'a> {
        // A list or mapping is pointed to by its key.
        let spot = match entry.node.value {
            Value::List(_) | Value::Map(_) => entry.spot,
            _ => entry.node.spot,
        };
        let path = self.whole.path.key(&entry.key);
        Element { value: &entry.node.value, spot, path, notes: self.whole.notes }
    }
}
