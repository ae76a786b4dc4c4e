namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>Vectors of one instruction set, so that a dense kernel is written once for all of them.</summary>
/// <typeparam name="TVector">A vector of float32.</typeparam>
internal unsafe interface IDenseLanes<TVector>
    where TVector : struct
{
    /// <summary>Numbers in a vector.</summary>
    static abstract int Width { get; }

    /// <summary>True if the processor has registers for the sums of four rows and four tokens.</summary>
    static abstract bool HasManyRegisters { get; }

    /// <summary>Nothing but zeros.</summary>
    static abstract TVector Zero { get; }

    /// <summary>One number in all lanes.</summary>
    static abstract TVector Broadcast(float value);

    /// <summary>Numbers of a format as float32.</summary>
    static abstract TVector Load<TFormat>(byte* source, nint index)
        where TFormat : struct, IValueFormat;

    /// <summary>Numbers from memory.</summary>
    static abstract TVector Load(float* source);

    /// <summary>Numbers to memory.</summary>
    static abstract void Store(TVector vector, float* target);

    /// <summary>a · b + c.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>The sum of the lanes.</summary>
    static abstract float Sum(TVector vector);
}
