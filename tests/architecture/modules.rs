//! The modules of a crate, and which of them name which others, read from its source.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};
use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta, UseTree};

/// The names from the crate's root down to a module, or to what it holds. The root's is empty.
pub type ModulePath = Vec<String>;

/// A crate's modules.
#[derive(Default)]
pub struct Modules {
    each: BTreeMap<ModulePath, Module>,
}

#[derive(Default)]
struct Module {
    /// What it names in its own crate.
    named: BTreeSet<ModulePath>,
    /// What it knows under another name, or passes on: the name, and what it stands for.
    imported: HashMap<String, ModulePath>,
}

/// Follows re-exports this far.
const MAX_STEPS: usize = 16;

impl Modules {
    /// Reads the crate whose root is this file, without what is compiled for its tests alone.
    pub fn read(root: &Path) -> Self {
        let mut modules = Self::default();
        let source = fs::read_to_string(root).unwrap();
        let folder = root.parent().unwrap();
        modules.module(Vec::new(), syn::parse_file(&source).unwrap().items, folder, folder);
        modules
    }

    /// All of them.
    pub fn paths(&self) -> impl Iterator<Item = &ModulePath> {
        self.each.keys()
    }

    /// The modules that another one names, through whatever re-exports.
    pub fn named_by(&self, module: &ModulePath) -> BTreeSet<ModulePath> {
        let named = &self.each[module].named;
        named.iter().map(|path| self.home(path, 0)).filter(|home| home != module).collect()
    }

    /// The module that a path leads into.
    fn home(&self, path: &[String], steps: usize) -> ModulePath {
        let mut home = ModulePath::new();
        for (at, name) in path.iter().enumerate() {
            home.push(name.clone());
            if self.each.contains_key(&home) {
                continue;
            }
            home.pop();
            return match self.each[&home].imported.get(name) {
                Some(origin) if steps < MAX_STEPS => {
                    let whole: ModulePath = origin.iter().chain(&path[at + 1..]).cloned().collect();
                    self.home(&whole, steps + 1)
                }
                _ => home,
            };
        }
        home
    }

    /// `here`: the folder of the file. `below`: the folder of the files of its modules.
    fn module(&mut self, path: ModulePath, items: Vec<Item>, here: &Path, below: &Path) {
        self.each.entry(path.clone()).or_default();
        let children: Vec<String> = items
            .iter()
            .filter_map(|item| if let Item::Mod(one) = item { Some(one.ident.to_string()) } else { None })
            .collect();
        for item in items {
            match item {
                Item::Mod(one) if !is_for_tests(&one.attrs) => self.child(&path, one, here, below),
                Item::Use(one) if !is_for_tests(&one.attrs) => {
                    self.import(&path, &children, &one.tree, &mut Vec::new());
                }
                other if !is_for_tests(attributes(&other)) => {
                    self.scan(&path, other.to_token_stream());
                }
                _ => {}
            }
        }
    }

    fn child(&mut self, path: &ModulePath, one: ItemMod, here: &Path, below: &Path) {
        let name = one.ident.to_string();
        let child: ModulePath = path.iter().cloned().chain([name.clone()]).collect();
        if let Some((_, items)) = one.content {
            return self.module(child, items, here, &below.join(name));
        }
        let elsewhere = one.attrs.iter().find_map(path_attribute).map(|file| here.join(file));
        let places = [below.join(format!("{name}.rs")), below.join(&name).join("mod.rs")];
        let file: PathBuf = elsewhere.or_else(|| places.into_iter().find(|file| file.exists())).unwrap();
        let items = syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap().items;
        self.module(child, items, file.parent().unwrap(), &below.join(name));
    }

    fn import(&mut self, path: &ModulePath, children: &[String], tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(part) => {
                before.push(part.ident.to_string());
                self.import(path, children, &part.tree, before);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(path, children, tree, before);
                }
            }
            UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().cloned().unwrap_or_default();
                self.add(path, children, before.clone(), Some(last));
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let whole = before.iter().cloned().chain([name.clone()]).collect();
                self.add(path, children, whole, Some(name));
            }
            UseTree::Rename(renamed) => {
                let mut whole = before.clone();
                if renamed.ident != "self" {
                    whole.push(renamed.ident.to_string());
                }
                self.add(path, children, whole, Some(renamed.rename.to_string()));
            }
            UseTree::Glob(_) => self.add(path, children, before.clone(), None),
        }
    }

    /// Everything else: paths that say where they begin. What begins with an imported name is counted with its import.
    fn scan(&mut self, path: &ModulePath, tokens: TokenStream) {
        let mut current: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens
            .into_iter()
            .chain([TokenTree::Punct(proc_macro2::Punct::new(';', proc_macro2::Spacing::Alone))])
        {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) if colons == 2 && !current.is_empty() => {
                    current.push(ident.to_string());
                    colons = 0;
                }
                other => {
                    if current.len() > 1 {
                        self.add(path, &[], std::mem::take(&mut current), None);
                    }
                    current.clear();
                    colons = 0;
                    match other {
                        TokenTree::Ident(ident)
                            if ident == "crate" || ident == "super" || ident == "self" =>
                        {
                            current.push(ident.to_string());
                        }
                        TokenTree::Group(group) => self.scan(path, group.stream()),
                        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                    }
                }
            }
        }
    }

    fn add(&mut self, path: &ModulePath, children: &[String], whole: Vec<String>, name: Option<String>) {
        let mut rest = whole.as_slice();
        let mut from = match rest.first().map(String::as_str) {
            Some("crate") => ModulePath::new(),
            Some("self" | "super") => path.clone(),
            Some(first) if children.iter().any(|child| child == first) => path.clone(),
            _ => return, // another crate's
        };
        while let Some(first) = rest.first() {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => drop(from.pop()),
                _ => break,
            }
            rest = &rest[1..];
        }
        from.extend(rest.iter().cloned());
        let module = self.each.get_mut(path).unwrap();
        if let Some(name) = name {
            module.imported.insert(name, from.clone());
        }
        module.named.insert(from);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(one) => &one.attrs,
        Item::Enum(one) => &one.attrs,
        Item::Fn(one) => &one.attrs,
        Item::Impl(one) => &one.attrs,
        Item::Macro(one) => &one.attrs,
        Item::Mod(one) => &one.attrs,
        Item::Static(one) => &one.attrs,
        Item::Struct(one) => &one.attrs,
        Item::Trait(one) => &one.attrs,
        Item::Type(one) => &one.attrs,
        Item::Use(one) => &one.attrs,
        _ => &[],
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .meta
                .to_token_stream()
                .to_string()
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word == "test")
    })
}

fn path_attribute(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        Expr::Lit(value) if pair.path.is_ident("path") => match &value.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
