namespace Amazon.Lambda.Serialization.SystemTextJson;

/// <summary>An event or a result is not what its type says.</summary>
public class JsonSerializerException : Exception
{
    public JsonSerializerException(string message)
        : base(message)
    {
    }

    public JsonSerializerException(string message, Exception exception)
        : base(message, exception)
    {
    }
}
