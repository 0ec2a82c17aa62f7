//! ONNX files: a graph with its notes to bytes, and back.

use super::graph::{Attribute, Constant, Dim, Graph, Kind, Node, Port, Values};
use super::proto::{
    AttributeProto, Dimension, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, attribute_type,
    data_type,
};
use prost::Message;
use std::collections::BTreeMap;

/// What an ONNX file holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    pub(super) graph: Graph,
    /// A sentence for people.
    pub(super) about: String,
    /// Notes by name: the classes, the preprocessing, ...
    pub(super) notes: BTreeMap<String, String>,
}

/// The version of the file format and of the operators: those of ONNX 1.15 where an operator needs them, else those of
/// ONNX 1.13, which more programs know.
fn versions(graph: &Graph) -> (i64, i64) {
    if graph.nodes.iter().any(|node| node.op == "Gelu") { (9, 20) } else { (8, 18) }
}

/// The bytes of the file.
pub(super) fn to_bytes(model: &Model) -> Vec<u8> {
    let (ir_version, version) = versions(&model.graph);
    let notes = model.notes.iter();
    ModelProto {
        ir_version,
        producer_name: "tallow".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: model.about.clone(),
        graph: Some(graph_to(&model.graph)),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version }],
        metadata_props: notes
            .map(|(key, value)| StringStringEntryProto { key: key.clone(), value: value.clone() })
            .collect(),
    }
    .encode_to_vec()
}

/// What [`to_bytes`] wrote.
///
/// # Errors
/// What is wrong with the bytes.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Model, String> {
    let model = ModelProto::decode(bytes).map_err(|e| format!("is not an ONNX file: {e}"))?;
    let graph = model.graph.ok_or("holds no graph")?;
    let notes = model.metadata_props.into_iter().map(|note| (note.key, note.value)).collect();
    Ok(Model { graph: graph_from(graph)?, about: model.doc_string, notes })
}

fn graph_to(graph: &Graph) -> GraphProto {
    let node = |node: &Node| NodeProto {
        input: node.inputs.clone(),
        output: vec![node.output.clone()],
        name: node.output.clone(),
        op_type: node.op.clone(),
        attribute: node.attributes.iter().map(|(name, value)| attribute_to(name, value)).collect(),
    };
    GraphProto {
        node: graph.nodes.iter().map(node).collect(),
        name: "tallow".into(),
        initializer: graph.constants.iter().map(|(name, constant)| constant_to(name, constant)).collect(),
        input: graph.inputs.iter().map(port_to).collect(),
        output: graph.outputs.iter().map(port_to).collect(),
    }
}

fn graph_from(graph: GraphProto) -> Result<Graph, String> {
    let node = |node: NodeProto| {
        let [output] = <[String; 1]>::try_from(node.output).map_err(|outputs| {
            format!("has an operator {} of {} results, where one is expected", node.op_type, outputs.len())
        })?;
        let attributes = node.attribute.into_iter().map(attribute_from).collect::<Result<_, String>>()?;
        Ok::<_, String>(Node { op: node.op_type, inputs: node.input, output, attributes })
    };
    Ok(Graph {
        nodes: graph.node.into_iter().map(node).collect::<Result<_, _>>()?,
        constants: graph.initializer.into_iter().map(constant_from).collect::<Result<_, _>>()?,
        inputs: graph.input.into_iter().map(port_from).collect::<Result<_, _>>()?,
        outputs: graph.output.into_iter().map(port_from).collect::<Result<_, _>>()?,
    })
}

fn attribute_to(name: &str, value: &Attribute) -> AttributeProto {
    let empty = AttributeProto { name: name.into(), ..AttributeProto::default() };
    match value {
        Attribute::Int(i) => AttributeProto { i: *i, r#type: attribute_type::INT, ..empty },
        Attribute::Ints(ints) => AttributeProto { ints: ints.clone(), r#type: attribute_type::INTS, ..empty },
        Attribute::Float(f) => AttributeProto { f: *f, r#type: attribute_type::FLOAT, ..empty },
        Attribute::Text(s) => AttributeProto { s: s.clone().into_bytes(), r#type: attribute_type::STRING, ..empty },
    }
}

fn attribute_from(attribute: AttributeProto) -> Result<(String, Attribute), String> {
    let value = match attribute.r#type {
        attribute_type::INT => Attribute::Int(attribute.i),
        attribute_type::INTS => Attribute::Ints(attribute.ints),
        attribute_type::FLOAT => Attribute::Float(attribute.f),
        attribute_type::STRING => Attribute::Text(String::from_utf8_lossy(&attribute.s).into_owned()),
        other => {
            return Err(format!("has an attribute `{}` of the type {other}, which is not known here", attribute.name));
        }
    };
    Ok((attribute.name, value))
}

fn constant_to(name: &str, constant: &Constant) -> TensorProto {
    let (data_type, raw_data) = match &constant.values {
        Values::Float(values) => (data_type::FLOAT, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
        Values::Half(values) => (data_type::FLOAT16, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
        Values::Int(values) => (data_type::INT64, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
    };
    let dims = constant.dims.iter().map(|&n| n as i64).collect();
    TensorProto { dims, data_type, name: name.into(), raw_data }
}

fn constant_from(tensor: TensorProto) -> Result<(String, Constant), String> {
    let TensorProto { dims, data_type, name, raw_data } = tensor;
    let wrong = |what: String| format!("has a constant `{name}` {what}");
    let lengths: Option<Vec<usize>> = dims.iter().map(|&n| usize::try_from(n).ok()).collect();
    let Some(lengths) = lengths else { return Err(wrong(format!("of the shape {dims:?}"))) };
    let size = match data_type {
        data_type::FLOAT => 4,
        data_type::FLOAT16 => 2,
        data_type::INT64 => 8,
        other => return Err(wrong(format!("of the type {other}, which is not known here"))),
    };
    let expected = lengths.iter().try_fold(size, |product: usize, &n| product.checked_mul(n));
    if expected != Some(raw_data.len()) {
        return Err(wrong(format!("of the shape {dims:?} in {} bytes", raw_data.len())));
    }
    let values = match data_type {
        data_type::FLOAT => Values::Float(numbers(&raw_data, f32::from_le_bytes)),
        data_type::FLOAT16 => Values::Half(numbers(&raw_data, half::f16::from_le_bytes)),
        _ => Values::Int(numbers(&raw_data, i64::from_le_bytes)),
    };
    Ok((name, Constant { dims: lengths, values }))
}

fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
}

fn port_to(port: &Port) -> ValueInfoProto {
    let elem_type = match port.kind {
        Kind::Float => data_type::FLOAT,
        Kind::Byte => data_type::UINT8,
        Kind::Int => data_type::INT64,
    };
    let dim = |dim: &Dim| {
        let value = match dim {
            Dim::Fixed(n) => Dimension::Value(*n as i64),
            Dim::Any(name) => Dimension::Param(name.clone()),
        };
        DimensionProto { value: Some(value) }
    };
    let shape = TensorShapeProto { dim: port.dims.iter().map(dim).collect() };
    let tensor_type = TensorTypeProto { elem_type, shape: Some(shape) };
    ValueInfoProto { name: port.name.clone(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

fn port_from(port: ValueInfoProto) -> Result<Port, String> {
    let wrong = |what: &str| format!("has an input or output `{}` {what}", port.name);
    let tensor =
        port.r#type.as_ref().and_then(|r#type| r#type.tensor_type.as_ref()).ok_or_else(|| wrong("of no type"))?;
    let kind = match tensor.elem_type {
        data_type::FLOAT => Kind::Float,
        data_type::UINT8 => Kind::Byte,
        data_type::INT64 => Kind::Int,
        _ => return Err(wrong("of a type that is not known here")),
    };
    let dims = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
    let dim = |dim: &DimensionProto| match &dim.value {
        Some(Dimension::Value(n)) => usize::try_from(*n).map(Dim::Fixed).map_err(|_| wrong("of a negative length")),
        Some(Dimension::Param(name)) => Ok(Dim::Any(name.clone())),
        None => Err(wrong("of an unknown length")),
    };
    let dims = dims.iter().map(dim).collect::<Result<_, _>>()?;
    Ok(Port { name: port.name.clone(), kind, dims })
}
