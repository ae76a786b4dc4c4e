using Mono.Cecil;

namespace SparseExpansion.Testing.NativeLifetime;

/// <summary>Calls made by an assembly's methods.</summary>
internal static class Instructions
{
    /// <summary>All methods with a body, those of nested and generated types too.</summary>
    public static IEnumerable<MethodDefinition> Methods(AssemblyDefinition assembly) =>
        assembly.MainModule.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody);

    /// <summary>Methods that are called, constructed or taken the address of.</summary>
    public static IEnumerable<MethodReference> Calls(MethodDefinition method) =>
        method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>();

    /// <summary>
    /// The name without type arguments, the same where the method is declared and where it is called.
    /// </summary>
    public static string Name(MethodReference method)
    {
        MethodReference open = method is GenericInstanceMethod generic ? generic.ElementMethod : method;
        string declaring = open.DeclaringType.GetElementType().FullName;
        string parameters = string.Join(
            ',', open.Parameters.Select(parameter => parameter.ParameterType.FullName));
        return $"{open.ReturnType.FullName} {declaring}::{open.Name}`{open.GenericParameters.Count}({parameters})";
    }

    /// <summary>True for an override, which is reached through the method that it overrides.</summary>
    public static bool IsReuseSlotOverride(this MethodDefinition method) =>
        method is { IsVirtual: true, IsReuseSlot: true };
}
