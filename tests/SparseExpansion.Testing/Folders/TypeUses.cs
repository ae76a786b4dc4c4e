using Mono.Cecil;
using Mono.Cecil.Cil;

namespace SparseExpansion.Testing.Folders;

/// <summary>
/// The types of the same assembly that a type names: in its declaration, its members and their bodies.
/// </summary>
internal static class TypeUses
{
    /// <summary>The types outside of all types, each once, without the type itself.</summary>
    /// <param name="type">A type outside of all types; what it nests counts as itself.</param>
    public static IReadOnlyList<TypeDefinition> Of(TypeDefinition type) =>
        [.. References(type).SelectMany(Flatten).Select(Outermost).Where(used => used != type).Distinct()];

    private static IEnumerable<TypeReference?> References(TypeDefinition type) =>
    [
        type.BaseType,
        .. type.Interfaces.Select(entry => entry.InterfaceType),
        .. Constraints(type),
        .. Attributes(type),
        .. type.Fields.Select(field => field.FieldType),
        .. type.Fields.SelectMany(Attributes),
        .. type.Properties.SelectMany(Attributes),
        .. type.Methods.SelectMany(References),
        .. type.NestedTypes.SelectMany(References),
    ];

    private static IEnumerable<TypeReference?> References(MethodDefinition method) =>
    [
        .. Signature(method),
        .. Constraints(method),
        .. Attributes(method),
        .. method.HasBody ? References(method.Body) : [],
    ];

    private static IEnumerable<TypeReference?> References(MethodBody body) =>
    [
        .. body.Variables.Select(variable => variable.VariableType),
        .. body.ExceptionHandlers.Select(handler => handler.CatchType),
        .. body.Instructions.SelectMany(instruction => instruction.Operand switch
        {
            TypeReference reference => [reference],
            MethodReference called => [called.DeclaringType, .. Signature(called), .. (called as GenericInstanceMethod)?.GenericArguments ?? []],
            FieldReference field => [field.DeclaringType, field.FieldType],
            _ => Enumerable.Empty<TypeReference?>(),
        }),
    ];

    private static IEnumerable<TypeReference?> Signature(MethodReference method) =>
        [method.ReturnType, .. method.Parameters.Select(parameter => parameter.ParameterType)];

    private static IEnumerable<TypeReference?> Constraints(IGenericParameterProvider owner) =>
        owner.GenericParameters.SelectMany(parameter => parameter.Constraints)
            .Select(constraint => constraint.ConstraintType);

    private static IEnumerable<TypeReference?> Attributes(ICustomAttributeProvider owner) =>
        owner.CustomAttributes.Select(attribute => attribute.AttributeType);

    private static IEnumerable<TypeDefinition> Flatten(TypeReference? reference)
    {
        if (reference is GenericInstanceType generic)
        {
            foreach (TypeDefinition argument in generic.GenericArguments.SelectMany(Flatten))
            {
                yield return argument;
            }
        }

        if (reference is TypeSpecification specification)
        {
            foreach (TypeDefinition element in Flatten(specification.ElementType))
            {
                yield return element;
            }
        }
        else if (reference is TypeDefinition definition)
        {
            yield return definition;
        }
    }

    private static TypeDefinition Outermost(TypeDefinition type) =>
        type.DeclaringType is null ? type : Outermost(type.DeclaringType);
}
