using Amazon.Runtime;

namespace Amazon.Route53;

public class RRType(string value) : ConstantClass(value)
{
    public static readonly RRType A = new("A");
    public static readonly RRType AAAA = new("AAAA");
    public static readonly RRType CNAME = new("CNAME");
    public static readonly RRType TXT = new("TXT");

    public static RRType FindValue(string value) => FindValue<RRType>(value);

    public static implicit operator RRType(string value) => FindValue(value);
}

public class ChangeAction(string value) : ConstantClass(value)
{
    public static readonly ChangeAction CREATE = new("CREATE");
    public static readonly ChangeAction DELETE = new("DELETE");
    public static readonly ChangeAction UPSERT = new("UPSERT");

    public static ChangeAction FindValue(string value) => FindValue<ChangeAction>(value);

    public static implicit operator ChangeAction(string value) => FindValue(value);
}
